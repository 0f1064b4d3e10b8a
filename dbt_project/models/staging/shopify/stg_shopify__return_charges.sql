-- One row per charge that a return brought the buyer: a restocking fee of a line, a fee for sending
-- back of the return as a whole, which counts on its first line.
with

returns as (
    select * from {{ ref('base_shopify__returns') }}
),

return_items as (
    select
        return_items.*,
        lines.sku
    from {{ ref('base_shopify__return_items') }} as return_items
    inner join {{ ref('base_shopify__lines') }} as lines
        on return_items.account = lines.account and return_items.line_id = lines.line_id
    where lines.is_counted
),

orders as (
    select * from {{ ref('base_shopify__orders') }}
),

first_lines as (
    select *
    from return_items
    qualify
        row_number() over (partition by account, return_id order by {{ id_order("line") }}) = 1
),

fee_parts as (
    select
        account,
        return_id,
        {{ elements("shipping_fees") }} as fee
    from returns
),

shipping_fees as (
    select
        fee_parts.account,
        fee_parts.return_id,
        sum({{ shop_money("fee_parts.fee.amountSet") }}) as amount
    from fee_parts
    group by fee_parts.account, fee_parts.return_id
),

charges as (
    select
        account,
        return_id,
        line,
        order_id,
        line_id,
        sku,
        'restocking' as charge_kind,
        restocking_fee as amount,
        requested_at
    from return_items
    where restocking_fee <> 0
    union all
    select
        first_lines.account,
        first_lines.return_id,
        first_lines.line,
        first_lines.order_id,
        first_lines.line_id,
        first_lines.sku,
        'return_shipping' as charge_kind,
        shipping_fees.amount,
        first_lines.requested_at
    from first_lines
    inner join shipping_fees
        on
            first_lines.account = shipping_fees.account
            and first_lines.return_id = shipping_fees.return_id
    where shipping_fees.amount <> 0
),

return_charges as (
    select
        'shopify' as connector,
        charges.account,
        charges.return_id,
        charges.line,
        charges.order_id,
        charges.line_id,
        charges.sku,
        charges.charge_kind,
        'buyer' as payer,
        {{ money("charges.amount") }} as amount,
        coalesce(orders.currency, 'unknown') as currency,
        charges.requested_at as charged_at
    from charges
    left join orders on charges.account = orders.account and charges.order_id = orders.order_id
)

select * from return_charges
