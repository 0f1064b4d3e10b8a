-- One row per line of a purchase order. Units refunded were shipped; a line that was cancelled as a
-- whole has no price any more.
with

order_lines as (
    select * from {{ ref('base_walmart__order_lines') }}
),

line_states as (
    select * from {{ ref('base_walmart__line_states') }}
),

charge_parts as (
    select
        account,
        order_id,
        line_id,
        {{ elements("charges") }} as charge
    from order_lines
),

amounts as (
    select
        charge_parts.account,
        charge_parts.order_id,
        charge_parts.line_id,
        charge.chargeType as kind,
        charge.chargeAmount.currency,
        charge.chargeAmount.amount,
        charge.tax.taxAmount.amount as tax
    from charge_parts
),

charges as (
    select
        account,
        order_id,
        line_id,
        max(currency) as currency,
        sum(case kind when 'PRODUCT' then amount when 'DISCOUNT' then -abs(amount) end) as goods,
        sum(case when kind = 'PRODUCT' then tax end) as goods_tax,
        sum(case
            when kind = 'DISCOUNT' or (kind = 'PRODUCT' and amount < 0) then abs(amount)
        end) as discount,
        sum(case when kind = 'SHIPPING' then amount end) as shipping,
        sum(case when kind = 'SHIPPING' then tax end) as shipping_tax
    from amounts
    group by account, order_id, line_id
),

states as (
    select
        account,
        order_id,
        line_id,
        sum(case when status in ('cancelled', 'canceled') then quantity else 0 end) as cancelled,
        sum(case when status in ('shipped', 'delivered', 'refund') then quantity else 0 end)
            as shipped,
        sum(case when status = 'delivered' then quantity else 0 end) as delivered,
        min(case when status in ('shipped', 'delivered', 'refund') then shipped_at end)
            as shipped_at,
        max(cancel_reason) as cancel_reason
    from line_states
    group by account, order_id, line_id
),

counted as (
    select
        order_lines.*,
        charges.currency,
        charges.goods,
        coalesce(charges.goods_tax, 0) as goods_tax,
        coalesce(charges.discount, 0) as discount,
        coalesce(charges.shipping, 0) as shipping,
        coalesce(charges.shipping_tax, 0) as shipping_tax,
        least(coalesce(states.cancelled, 0), order_lines.quantity) as quantity_cancelled,
        least(
            coalesce(states.shipped, 0),
            order_lines.quantity - least(coalesce(states.cancelled, 0), order_lines.quantity)
        ) as quantity_shipped,
        coalesce(states.delivered, 0) as quantity_delivered,
        states.shipped_at,
        states.cancel_reason
    from order_lines
    left join charges
        on
            order_lines.account = charges.account
            and order_lines.order_id = charges.order_id
            and order_lines.line_id = charges.line_id
    left join states
        on
            order_lines.account = states.account
            and order_lines.order_id = states.order_id
            and order_lines.line_id = states.line_id
),

final as (
    select
        'walmart' as connector,
        account,
        marketplace,
        order_id,
        customer_order_id as order_number,
        line_id,
        sku,
        'unknown' as listing_id,
        case
            when quantity_cancelled = quantity and quantity > 0 then 'cancelled'
            when quantity_shipped + quantity_cancelled < quantity then 'open'
            when quantity_delivered >= quantity_shipped then 'delivered'
            else 'shipped'
        end as order_status,
        quantity as quantity_ordered,
        cast(quantity_cancelled as bigint) as quantity_cancelled,
        cast(quantity_shipped as bigint) as quantity_shipped,
        coalesce(currency, 'unknown') as currency,
        {{ money("goods - case when prices_include_tax then goods_tax else 0 end") }}
            as net_amount,
        {{ money("case when goods is not null then goods_tax end") }} as tax_amount,
        {{ money("case when goods is not null then discount end") }} as discount_amount,
        {{ money("shipping - case when prices_include_tax then shipping_tax else 0 end") }}
            as shipping_amount,
        country,
        'unknown' as customer_key,
        ordered_at,
        cast(null as timestamp) as paid_at,
        -- of units cancelled beside others that were sent, no date is told
        case when quantity_cancelled = quantity and quantity > 0 then status_at end as cancelled_at,
        case when quantity_cancelled > 0 then {{ cancel_reason("cancel_reason") }} end
            as cancel_reason,
        ship_by_at,
        promised_at,
        case when quantity_shipped > 0 then shipped_at end as shipped_at,
        case
            when quantity_shipped > 0 and quantity_delivered >= quantity_shipped then status_at
        end as delivered_at,
        case when quantity_shipped > 0 then {{ local_date("promised_at", "time_zone") }} end
            as estimated_delivery_date,
        case
            when ship_node like 'wfs%' then 'marketplace'
            when ship_node like '3pl%' then 'third_party'
            else 'seller'
        end as fulfilled_by,
        fulfilment_centre_id,
        'unknown' as payment_method,
        cast(0 as bigint) as is_undelivered_units,
        true as gives_requests,
        true as gives_receipts
    from counted
)

select * from final
