with

source as (
    select * from {{ source('raw_template', 'returns') }}
),

returns as (
    select
        _account as account,
        returnId as return_id,
        orderId as order_id,
        lineId as line_id,
        sku,
        quantity,
        status as native_status,
        reason as reason_raw,
        comment,
        try_cast(requestedAt as timestamptz) at time zone 'UTC' as requested_at,
        try_cast(receivedAt as timestamptz) at time zone 'UTC' as received_at
    from source
)

select * from returns
