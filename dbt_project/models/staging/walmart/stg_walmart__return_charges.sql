-- One row per charge that a return brought the buyer: restocking or shipping, kept from the refund.
with

return_lines as (
    select * from {{ ref('base_walmart__return_lines') }}
),

total_parts as (
    select
        account,
        return_id,
        line,
        order_id,
        line_id,
        sku,
        currency,
        requested_at,
        {{ elements("charge_totals") }} as total
    from return_lines
),

totals as (
    select
        total_parts.account,
        total_parts.return_id,
        total_parts.line,
        total_parts.order_id,
        total_parts.line_id,
        total_parts.sku,
        total_parts.currency,
        total_parts.requested_at,
        case total_parts.total.name
            when 'lineRestockingFee' then 'restocking'
            when 'lineShippingFee' then 'return_shipping'
        end as charge_kind,
        abs(total_parts.total.value.currencyAmount) as amount
    from total_parts
    where total_parts.total.name in ('lineRestockingFee', 'lineShippingFee')
),

return_charges as (
    select
        'walmart' as connector,
        account,
        return_id,
        line,
        order_id,
        line_id,
        sku,
        charge_kind,
        'buyer' as payer,
        {{ money("amount") }} as amount,
        currency,
        requested_at as charged_at
    from totals
    where amount <> 0
)

select * from return_charges
