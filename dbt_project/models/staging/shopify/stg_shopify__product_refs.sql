-- One row per product and SKU that the shop has sold: reviews name the product, never the variant.
with

lines as (
    select * from {{ ref('base_shopify__lines') }}
),

product_refs as (
    select distinct
        'shopify' as connector,
        account,
        'shopify_' || account as marketplace,
        product_ref,
        sku
    from lines
    where product_ref is not null and sku <> 'unknown'
)

select * from product_refs
