with

source as (
    select * from {{ source('raw_amazon', 'all_orders') }}
),

-- an order is reported as a whole each time it changes: rows of an older report are gone
current_rows as (
    select
        *,
        max(last_updated_date) over (partition by _account, amazon_order_id) as order_updated
    from source
),

report_rows as (
    select
        _account as account,
        amazon_order_id as order_id,
        merchant_order_id,
        coalesce(nullif(trim(sku), ''), 'unknown') as sku,
        nullif(trim(asin), '') as asin,
        order_status,
        item_status,
        fulfillment_channel,
        sales_channel,
        nullif(trim(currency), '') as currency,
        nullif(upper(trim(ship_country)), '') as country,
        cast(nullif(trim(quantity), '') as bigint) as quantity,
        {{ money("nullif(trim(item_price), '')") }} as item_price,
        {{ money("coalesce(nullif(trim(item_tax), ''), '0')") }} as item_tax,
        {{ money("nullif(trim(shipping_price), '')") }} as shipping_price,
        {{ money("coalesce(nullif(trim(shipping_tax), ''), '0')") }} as shipping_tax,
        abs({{ money("coalesce(nullif(trim(item_promotion_discount), ''), '0')") }})
            as item_discount,
        abs({{ money("coalesce(nullif(trim(ship_promotion_discount), ''), '0')") }})
            as shipping_discount,
        {{ iso_timestamp("purchase_date") }} as purchased_at,
        {{ iso_timestamp("last_updated_date") }} as updated_at
    from current_rows
    where last_updated_date is not distinct from order_updated
),

order_skus as (
    select
        account,
        order_id,
        sku,
        max(merchant_order_id) as merchant_order_id,
        max(asin) as asin,
        max(order_status) as order_status,
        -- cancelled only where every row of the line is
        case
            when bool_and(coalesce(upper(item_status) in ('CANCELLED', 'CANCELED'), false))
                then min(item_status)
            else max(case
                when upper(item_status) not in ('CANCELLED', 'CANCELED') then item_status
            end)
        end as item_status,
        max(fulfillment_channel) as fulfillment_channel,
        max(sales_channel) as sales_channel,
        max(currency) as currency,
        max(country) as country,
        cast(sum(quantity) as bigint) as quantity,
        cast(coalesce(sum(case
            when coalesce(upper(item_status), '') not in ('CANCELLED', 'CANCELED') then quantity
        end), 0) as bigint) as quantity_kept,
        {{ money("sum(item_price)") }} as item_price,
        {{ money("sum(item_tax)") }} as item_tax,
        {{ money("sum(shipping_price)") }} as shipping_price,
        {{ money("sum(shipping_tax)") }} as shipping_tax,
        {{ money("sum(item_discount)") }} as item_discount,
        {{ money("sum(shipping_discount)") }} as shipping_discount,
        min(purchased_at) as purchased_at,
        max(updated_at) as updated_at
    from report_rows
    group by account, order_id, sku
)

select * from order_skus
