-- One row per lot that a marketplace was told of when goods were sent to it. The seller's own files
-- win: a lot that is declared gives its name and an expiry date that they lack, never a receipt.
with

declared as (
    {{ union_conformed('lots') }}
),

sku_map as (
    select * from {{ ref('base_files__sku_map') }}
    where listing_kind = 'channel_sku'
),

numbered as (
    select
        *,
        row_number() over (order by account, sku, lot_id, declared_at) as declared_no
    from declared
),

-- a listing text that the seller's map gives to exactly one SKU on the day of the plan
mapped as (
    select
        numbered.declared_no,
        min(sku_map.sku) as sku
    from numbered
    inner join sku_map
        on
            numbered.account = sku_map.account
            and numbered.sku = sku_map.listing_id
            and (
                sku_map.valid_from is null
                or cast(numbered.declared_at as date) >= sku_map.valid_from
            )
            and (
                sku_map.valid_to is null
                or cast(numbered.declared_at as date) < sku_map.valid_to
            )
    group by numbered.declared_no
    having count(distinct sku_map.sku) = 1
),

with_sku as (
    select
        coalesce(mapped.sku, numbered.sku) as sku,
        numbered.lot_id,
        numbered.expiry_date
    from numbered
    left join mapped on numbered.declared_no = mapped.declared_no
),

final as (
    select
        {{ lot_key("sku", "lot_id") }} as lot_key,
        sku,
        lot_id,
        min(expiry_date) as expiry_date
    from with_sku
    group by sku, lot_id
)

select * from final
