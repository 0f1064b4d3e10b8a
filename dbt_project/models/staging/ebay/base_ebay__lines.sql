-- One row per line of an order, prices without tax.
with

orders as (
    select * from {{ ref('base_ebay__orders') }}
),

account_marketplaces as (
    select * from {{ source('settings', 'account_marketplace') }}
),

marketplaces as (
    select * from {{ source('raw_ebay', 'marketplaces') }}
),

items as (
    select
        account,
        order_id,
        legacy_order_id,
        {{ elements("line_items") }} as item
    from orders
),

named as (
    select
        items.account,
        items.order_id,
        items.legacy_order_id,
        item.lineItemId as line_id,
        item.legacyItemId as item_id,
        coalesce(
            {{ ebay_marketplace("coalesce(nullif(trim(item.purchaseMarketplaceId), ''),
                nullif(trim(item.listingMarketplaceId), ''))") }},
            'unknown'
        ) as marketplace,
        coalesce(
            nullif(trim(item.sku), ''),
            'item-' || item.legacyItemId
            || coalesce('-' || nullif(nullif(trim(item.legacyVariationId), ''), '0'), ''),
            'unknown'
        ) as sku,
        cast(coalesce(item.quantity, 1) as bigint) as quantity,
        item.lineItemFulfillmentStatus as fulfilment_status,
        item.lineItemCost.currency as price_currency,
        {{ ebay_money("item.lineItemCost") }} as price,
        coalesce(
            {{ ebay_money("item.discountedLineItemCost") }}, {{ ebay_money("item.lineItemCost") }}
        ) as discounted_price,
        coalesce({{ ebay_money("item.deliveryCost.shippingCost") }}, 0)
        + coalesce({{ ebay_money("item.deliveryCost.handlingCost") }}, 0)
        - abs(coalesce({{ ebay_money("item.deliveryCost.discountAmount") }}, 0)) as shipping_amount,
        {{ iso_timestamp("item.lineItemFulfillmentInstructions.shipByDate") }} as ship_by_at,
        {{ iso_timestamp("item.lineItemFulfillmentInstructions.maxEstimatedDeliveryDate") }}
            as estimated_at,
        item.taxes as line_taxes,
        item.ebayCollectAndRemitTaxes as ebays_taxes,
        item.refunds as line_refunds
    from items
),

tax_parts as (
    select
        account,
        line_id,
        {{ elements("line_taxes") }} as part
    from named
),

taxes as (
    select
        tax_parts.account,
        tax_parts.line_id,
        sum({{ ebay_money("part.amount") }}) as tax
    from tax_parts
    group by tax_parts.account, tax_parts.line_id
),

ebays_tax_parts as (
    select
        account,
        line_id,
        {{ elements("ebays_taxes") }} as part
    from named
),

-- comes on top of the price, also where prices include tax
ebays_taxes as (
    select
        ebays_tax_parts.account,
        ebays_tax_parts.line_id,
        sum({{ ebay_money("part.amount") }}) as tax
    from ebays_tax_parts
    group by ebays_tax_parts.account, ebays_tax_parts.line_id
),

lines as (
    select
        named.account,
        named.order_id,
        named.legacy_order_id,
        named.line_id,
        named.item_id,
        named.marketplace,
        named.sku,
        named.quantity,
        named.fulfilment_status,
        named.price_currency as currency,
        named.ship_by_at,
        named.estimated_at,
        named.line_refunds,
        coalesce(account_marketplaces.prices_include_tax, marketplaces.prices_include_tax, false)
            as prices_include_tax,
        coalesce(account_marketplaces.time_zone, marketplaces.time_zone, 'UTC') as time_zone,
        {{ money("named.discounted_price - case
            when coalesce(account_marketplaces.prices_include_tax, marketplaces.prices_include_tax,
                false) then greatest(coalesce(taxes.tax, 0) - coalesce(ebays_taxes.tax, 0), 0)
            else 0
        end") }} as net_amount,
        {{ money("case when named.price is not null then coalesce(taxes.tax, 0) end") }}
            as tax_amount,
        {{ money("named.price - named.discounted_price") }} as discount_amount,
        {{ money("case when named.price is not null then named.shipping_amount end") }}
            as shipping_amount
    from named
    left join taxes on named.account = taxes.account and named.line_id = taxes.line_id
    left join ebays_taxes
        on named.account = ebays_taxes.account and named.line_id = ebays_taxes.line_id
    left join marketplaces on named.marketplace = marketplaces.marketplace
    left join account_marketplaces
        on
            named.account = account_marketplaces.account
            and named.marketplace = account_marketplaces.marketplace
)

select * from lines
