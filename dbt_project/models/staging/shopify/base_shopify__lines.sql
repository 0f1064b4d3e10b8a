-- One row per line of an order, test orders and gift cards too, in the shop's currency without tax.
with

orders as (
    select * from {{ ref('base_shopify__orders') }}
),

items as (
    select
        account,
        order_id,
        is_test,
        taxes_included,
        {{ elements("line_items") }} as item
    from orders
),

lines as (
    select
        items.account,
        items.order_id,
        {{ gid_number("item.id") }} as line_id,
        items.is_test,
        items.taxes_included,
        coalesce(item.isGiftCard, false) as is_gift_card,
        coalesce(
            nullif(trim(item.sku), ''),
            nullif(trim(item.variant.sku), ''),
            'variant-' || {{ gid_number("item.variant.id") }},
            'unknown'
        ) as sku,
        coalesce({{ gid_number("item.variant.id") }}, 'unknown') as listing_id,
        {{ gid_number("item.product.id") }} as product_ref,
        cast(coalesce(item.quantity, 0) as bigint) as quantity,
        cast(coalesce(item.currentQuantity, item.quantity, 0) as bigint) as current_quantity,
        {{ shop_money("item.originalUnitPriceSet") }} as unit_price,
        item.discountAllocations as discount_allocations,
        item.taxLines as tax_lines
    from items
),

discount_parts as (
    select
        account,
        line_id,
        {{ elements("discount_allocations") }} as part
    from lines
),

discounts as (
    select
        discount_parts.account,
        discount_parts.line_id,
        sum({{ shop_money("part.allocatedAmountSet") }}) as discount
    from discount_parts
    group by discount_parts.account, discount_parts.line_id
),

tax_parts as (
    select
        account,
        line_id,
        {{ elements("tax_lines") }} as part
    from lines
),

taxes as (
    select
        tax_parts.account,
        tax_parts.line_id,
        sum({{ shop_money("part.priceSet") }}) as tax
    from tax_parts
    group by tax_parts.account, tax_parts.line_id
),

final as (
    select
        lines.account,
        lines.order_id,
        lines.line_id,
        not lines.is_test and not lines.is_gift_card as is_counted,
        lines.sku,
        lines.listing_id,
        lines.product_ref,
        lines.quantity,
        lines.current_quantity,
        {{ money("lines.unit_price * lines.quantity - coalesce(discounts.discount, 0)
            - case when lines.taxes_included then coalesce(taxes.tax, 0) else 0 end") }}
            as net_amount,
        {{ money("case when lines.unit_price is not null then coalesce(taxes.tax, 0) end") }}
            as tax_amount,
        {{ money("case
            when lines.unit_price is not null then coalesce(discounts.discount, 0)
        end") }} as discount_amount
    from lines
    left join discounts
        on lines.account = discounts.account and lines.line_id = discounts.line_id
    left join taxes on lines.account = taxes.account and lines.line_id = taxes.line_id
)

select * from final
