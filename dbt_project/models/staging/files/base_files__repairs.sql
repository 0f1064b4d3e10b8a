-- One row per repair, warranty replacement or spare part of the seller's files.
with

told as (
    select
        {{ file_channel_or_inbox_columns() }},
        *
    from {{ source('raw_files', 'repairs') }}
),

repairs as (
    select
        connector,
        account,
        marketplace,
        repair_id,
        kind,
        case_id,
        order_ref,
        sku,
        received_at,
        closed_at,
        coalesce(closed_at, received_at) as cost_at,
        cast(labour_minutes as double) as labour_minutes,
        {{ money("parts_cost") }} as parts_cost,
        {{ money("shipping_cost") }} as shipping_cost,
        currency,
        fault_code,
        outcome
    from told
)

select * from repairs
