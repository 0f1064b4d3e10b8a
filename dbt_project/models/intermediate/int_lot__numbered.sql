-- One row per lot that came into stock or was scanned or inspected, with a small number for the
-- allocation.
with

lots as (
    select lot_key from {{ ref('base_files__purchase_batches') }}
    union
    select lot_key from {{ ref('base_files__goods_receipts') }}
    union
    select lot_key from {{ ref('int_lot_scan__matched') }}
    union
    select {{ lot_key("sku", "lot_id") }} as lot_key
    from {{ ref('base_files__return_inspections') }}
    where lot_id is not null
),

batches as (
    select
        lot_key,
        min(expiry_date) as expiry_date
    from {{ ref('base_files__purchase_batches') }}
    group by lot_key
),

declared as (
    select * from {{ ref('int_lot__declared') }}
),

final as (
    select
        lots.lot_key,
        cast(row_number() over (order by lots.lot_key) as integer) as lot_no,
        coalesce(batches.expiry_date, declared.expiry_date) as expiry_date
    from lots
    left join batches on lots.lot_key = batches.lot_key
    left join declared on lots.lot_key = declared.lot_key
)

select * from final
