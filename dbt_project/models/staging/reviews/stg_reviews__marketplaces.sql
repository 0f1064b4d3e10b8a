with

source as (
    select * from {{ source('raw_reviews', 'marketplaces') }}
),

marketplaces as (
    select
        'reviews' as connector,
        marketplace,
        marketplace_id,
        marketplace_name,
        marketplace_kind,
        home_country,
        currency,
        time_zone,
        sales_channel,
        region_group,
        prices_include_tax
    from source
)

select * from marketplaces
