with

shops as (
    select * from {{ ref('base_shopify__shops') }}
),

marketplaces as (
    select
        'shopify' as connector,
        marketplace,
        shop_id as marketplace_id,
        coalesce(shop_name, marketplace) as marketplace_name,
        'own_shop' as marketplace_kind,
        cast(null as varchar) as home_country,
        currency,
        time_zone,
        cast(null as varchar) as sales_channel,
        cast(null as varchar) as region_group,
        cast(null as boolean) as prices_include_tax
    from shops
)

select * from marketplaces
