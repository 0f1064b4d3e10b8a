-- One row per ordered line of every source. A file's row for an order that an API also gives makes
-- no second order; one that could be two orders stays out (see int_quarantine__modelled).
with

conformed as (
    {{ union_conformed('order_lines') }}
),

file_orders as (
    select * from {{ ref('int_file_order__matched') }}
),

countries as (
    select country from {{ ref('dim_country') }}
),

kept as (
    select conformed.*
    from conformed
    left join file_orders
        on
            conformed.connector = file_orders.connector
            and conformed.account = file_orders.account
            and conformed.order_id = file_orders.order_ref
    -- not in the join: a constant there makes it forty times slower
    where conformed.conformed_by <> 'files' or coalesce(file_orders.matches, 0) = 0
),

keyed as (
    select
        {{ colon_key(["kept.connector", "kept.account", "kept.order_id", "kept.line_id"]) }}
            as order_line_key,
        {{ colon_key(["kept.connector", "kept.account", "kept.order_id"]) }} as order_key,
        kept.connector,
        kept.account,
        kept.marketplace,
        kept.order_id,
        kept.order_number,
        kept.line_id,
        kept.sku,
        kept.listing_id,
        kept.order_status,
        kept.quantity_ordered,
        kept.quantity_cancelled,
        kept.quantity_shipped,
        kept.currency,
        kept.net_amount,
        kept.tax_amount,
        kept.discount_amount,
        kept.shipping_amount,
        coalesce(countries.country, 'ZZ') as country,
        kept.customer_key,
        kept.ordered_at,
        kept.paid_at,
        kept.cancelled_at,
        kept.cancel_reason,
        kept.ship_by_at,
        kept.promised_at,
        kept.shipped_at,
        kept.delivered_at,
        kept.estimated_delivery_date,
        kept.fulfilled_by,
        kept.fulfilment_centre_id,
        kept.payment_method,
        kept.is_undelivered_units,
        kept.gives_requests,
        kept.gives_receipts,
        kept.conformed_by
    from kept
    left join countries on kept.country = countries.country
),

final as (
    select *
    from keyed
    -- two words for one channel may bring a line twice
    qualify row_number() over (partition by order_line_key order by ordered_at, marketplace) = 1
)

select * from final
