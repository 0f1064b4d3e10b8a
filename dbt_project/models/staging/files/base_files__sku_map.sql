with

source as (
    select * from {{ source('raw_files', 'sku_map') }}
),

sku_map as (
    select
        {{ file_channel_columns() }},
        listing_id,
        sku,
        coalesce(listing_kind, 'channel_sku') as listing_kind,
        coalesce(cast(units_per_listing as bigint), 1) as units_per_listing,
        valid_from,
        valid_to
    from source
)

select * from sku_map
