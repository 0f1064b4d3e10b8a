-- One row per line of an order that is no test, gift cards left out. A line that was sent instead
-- of returned goods costs what the buyer paid beyond the goods that came back.
with

orders as (
    select * from {{ ref('base_shopify__orders') }}
),

lines as (
    select * from {{ ref('base_shopify__lines') }}
    where is_counted
),

shipping as (
    select * from {{ ref('base_shopify__shipping') }}
),

shipments as (
    select * from {{ ref('base_shopify__shipments') }}
),

refund_items as (
    select * from {{ ref('base_shopify__refund_items') }}
),

return_items as (
    select * from {{ ref('base_shopify__return_items') }}
),

exchange_items as (
    select * from {{ ref('base_shopify__exchange_items') }}
),

refund_lines as (
    select * from {{ ref('stg_shopify__refund_lines') }}
),

shops as (
    select * from {{ ref('base_shopify__shops') }}
),

shipped as (
    select
        account,
        line_id,
        sum(quantity) as quantity,
        sum(case when is_undelivered then quantity else 0 end) as quantity_undelivered,
        min(shipped_at) as shipped_at,
        case when count(*) = count(delivered_at) then max(delivered_at) end as delivered_at,
        max(estimated_at) as estimated_at
    from shipments
    group by account, line_id
),

first_centre as (
    select
        account,
        line_id,
        fulfilment_centre_id
    from shipments
    qualify
        row_number() over (partition by account, line_id order by shipped_at, fulfilment_id) = 1
),

order_deliveries as (
    select
        account,
        order_id,
        count(*) = count(delivered_at) as is_delivered
    from shipments
    group by account, order_id
),

refunded as (
    select
        account,
        line_id,
        sum(case when is_cancel then quantity else 0 end) as cancelled_units,
        sum(case when is_cancel then 0 else quantity end) as other_units,
        min(case when is_cancel then refunded_at end) as cancelled_at
    from refund_items
    group by account, line_id
),

-- what the buyer gave back and was not paid for pays for what is sent instead
given_back as (
    select
        return_items.account,
        return_items.return_id,
        sum(
            cast(lines.net_amount as double) * return_items.quantity / nullif(lines.quantity, 0)
        ) as amount
    from return_items
    inner join lines
        on return_items.account = lines.account and return_items.line_id = lines.line_id
    group by return_items.account, return_items.return_id
),

paid_back as (
    select
        account,
        return_id,
        sum(net_amount) as amount
    from refund_lines
    where return_id is not null
    group by account, return_id
),

exchange_credits as (
    select
        exchange_items.account,
        exchange_items.line_id,
        exchange_items.exchanged_at,
        lines.net_amount,
        {{ money("greatest(coalesce(given_back.amount, 0) - coalesce(paid_back.amount, 0), 0)") }}
            as credit,
        coalesce(sum(lines.net_amount) over (
            partition by exchange_items.account, exchange_items.return_id
            order by {{ id_order("exchange_items.line_id") }}
            rows between unbounded preceding and 1 preceding
        ), 0) as credit_used
    from exchange_items
    inner join lines
        on exchange_items.account = lines.account and exchange_items.line_id = lines.line_id
    left join given_back
        on
            exchange_items.account = given_back.account
            and exchange_items.return_id = given_back.return_id
    left join paid_back
        on
            exchange_items.account = paid_back.account
            and exchange_items.return_id = paid_back.return_id
),

shipping_shares as (
    {{ spread("(
        select
            lines.account,
            lines.order_id,
            lines.line_id,
            lines.net_amount,
            shipping.shipping_amount
        from lines
        inner join shipping
            on lines.account = shipping.account and lines.order_id = shipping.order_id
        left join exchange_items
            on lines.account = exchange_items.account and lines.line_id = exchange_items.line_id
        where exchange_items.line_id is null
    ) as shipped_lines", ["account", "order_id"], "shipping_amount", "net_amount",
        ["length(line_id)", "line_id"]) }}
),

joined as (
    select
        lines.*,
        orders.marketplace,
        orders.order_number,
        orders.fulfilment_status,
        orders.currency,
        orders.country,
        orders.customer_key,
        orders.cancel_reason,
        orders.cancelled_at as order_cancelled_at,
        orders.closed_at,
        coalesce(exchange_credits.exchanged_at, orders.ordered_at) as ordered_at,
        coalesce(order_deliveries.is_delivered, false) as is_delivered,
        least(coalesce(shipped.quantity, 0), lines.quantity) as quantity_shipped,
        coalesce(shipped.quantity_undelivered, 0) as quantity_undelivered,
        shipped.shipped_at,
        shipped.delivered_at,
        shipped.estimated_at,
        first_centre.fulfilment_centre_id,
        coalesce(refunded.cancelled_units, 0) as cancelled_units,
        coalesce(refunded.other_units, 0) as other_units,
        refunded.cancelled_at as units_cancelled_at,
        coalesce(shipping_shares.share, 0) as shipping_share,
        coalesce(
            least(
                lines.net_amount,
                greatest(exchange_credits.credit - exchange_credits.credit_used, 0)
            ),
            0
        ) as credit,
        coalesce(shops.time_zone, 'UTC') as time_zone
    from lines
    inner join orders
        on lines.account = orders.account and lines.order_id = orders.order_id
    left join shops on lines.account = shops.account
    left join shipped on lines.account = shipped.account and lines.line_id = shipped.line_id
    left join first_centre
        on lines.account = first_centre.account and lines.line_id = first_centre.line_id
    left join order_deliveries
        on
            lines.account = order_deliveries.account
            and lines.order_id = order_deliveries.order_id
    left join refunded on lines.account = refunded.account and lines.line_id = refunded.line_id
    left join exchange_credits
        on
            lines.account = exchange_credits.account
            and lines.line_id = exchange_credits.line_id
    left join shipping_shares
        on lines.account = shipping_shares.account and lines.line_id = shipping_shares.line_id
),

cancelled as (
    select
        *,
        case
            when order_cancelled_at is not null then quantity - quantity_shipped
            else least(
                quantity - quantity_shipped,
                cancelled_units
                + greatest(other_units - quantity_shipped, 0)
                + greatest(quantity - current_quantity - cancelled_units - other_units, 0)
            )
        end as quantity_cancelled
    from joined
),

order_lines as (
    select
        'shopify' as connector,
        account,
        marketplace,
        order_id,
        coalesce(order_number, order_id) as order_number,
        line_id,
        sku,
        listing_id,
        case
            when order_cancelled_at is not null then 'cancelled'
            when fulfilment_status = 'FULFILLED' and is_delivered then 'delivered'
            when fulfilment_status = 'FULFILLED' then 'shipped'
            when closed_at is not null then 'closed'
            else 'open'
        end as order_status,
        quantity as quantity_ordered,
        cast(quantity_cancelled as bigint) as quantity_cancelled,
        cast(quantity_shipped as bigint) as quantity_shipped,
        coalesce(currency, 'unknown') as currency,
        {{ money("net_amount - credit") }} as net_amount,
        {{ money("case
            when credit = 0 then tax_amount
            else cast(tax_amount as double) * cast(net_amount - credit as double)
                / cast(net_amount as double)
        end") }} as tax_amount,
        discount_amount,
        {{ money("shipping_share") }} as shipping_amount,
        coalesce(country, 'ZZ') as country,
        customer_key,
        ordered_at,
        cast(null as timestamp) as paid_at,
        case when quantity_cancelled > 0 then coalesce(order_cancelled_at, units_cancelled_at) end
            as cancelled_at,
        case
            when quantity_cancelled = 0 then null
            when cancel_reason = 'INVENTORY' then 'out_of_stock'
            when cancel_reason = 'FRAUD' then 'fraud'
            when cancel_reason is null then 'unknown'
            else 'other'
        end as cancel_reason,
        cast(null as timestamp) as ship_by_at,
        cast(null as timestamp) as promised_at,
        case when quantity_shipped > 0 then shipped_at end as shipped_at,
        case when quantity_shipped > 0 then delivered_at end as delivered_at,
        case when quantity_shipped > 0 then {{ local_date("estimated_at", "time_zone") }} end
            as estimated_delivery_date,
        'seller' as fulfilled_by,
        coalesce(fulfilment_centre_id, 'unknown') as fulfilment_centre_id,
        'unknown' as payment_method,
        cast(least(quantity_undelivered, quantity_shipped) as bigint) as is_undelivered_units,
        true as gives_requests,
        true as gives_receipts
    from cancelled
)

select * from order_lines
