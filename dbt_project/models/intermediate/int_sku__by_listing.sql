-- One row per account and SKU as listed there that names exactly one SKU of the seller: for rows
-- that hang on no order, whose own SKU the order line would tell.
with

sku_map as (
    select * from {{ ref('base_files__sku_map') }}
    where listing_kind = 'channel_sku'
),

final as (
    select
        account,
        listing_id as listed_sku,
        min(sku) as sku
    from sku_map
    where account is not null
    group by account, listing_id
    having count(distinct sku) = 1
)

select * from final
