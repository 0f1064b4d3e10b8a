with

source as (
    select * from {{ source('raw_files', 'return_inspections') }}
),

inspections as (
    select
        inspection_id,
        channel_connector as connector,
        coalesce(channel_account, channel) as account,
        return_ref,
        order_ref,
        sku,
        lot_id,
        serial_no,
        cast(quantity as bigint) as quantity,
        upper(grade) as grade,
        nullif(lower(trim(defect_code)), '') as defect_code,
        lower(disposition) as next_step,
        recovered_value,
        currency,
        minutes_spent,
        received_at,
        inspected_at
    from source
)

select * from inspections
