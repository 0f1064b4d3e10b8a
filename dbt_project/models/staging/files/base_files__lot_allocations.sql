with

source as (
    select * from {{ source('raw_files', 'lot_allocations') }}
),

allocations as (
    select
        {{ file_channel_columns() }},
        order_ref,
        sku,
        lot_id,
        cast(quantity as bigint) as quantity,
        shipped_at
    from source
)

select * from allocations
