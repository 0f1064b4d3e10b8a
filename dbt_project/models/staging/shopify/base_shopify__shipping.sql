-- One row per order with what its shipping cost the buyer, in the shop's currency without tax.
with

orders as (
    select * from {{ ref('base_shopify__orders') }}
),

lines as (
    select
        account,
        order_id,
        taxes_included,
        {{ elements("shipping_lines") }} as line
    from orders
),

tax_parts as (
    select
        lines.account,
        lines.order_id,
        {{ elements("line.taxLines") }} as part
    from lines
    where lines.taxes_included
),

taxes as (
    select
        tax_parts.account,
        tax_parts.order_id,
        sum({{ shop_money("part.priceSet") }}) as tax
    from tax_parts
    group by tax_parts.account, tax_parts.order_id
),

prices as (
    select
        lines.account,
        lines.order_id,
        sum({{ shop_money("line.discountedPriceSet") }}) as price
    from lines
    group by lines.account, lines.order_id
),

shipping as (
    select
        prices.account,
        prices.order_id,
        {{ money("prices.price - coalesce(taxes.tax, 0)") }} as shipping_amount
    from prices
    left join taxes on prices.account = taxes.account and prices.order_id = taxes.order_id
)

select * from shipping
