-- One row per line of a return, cancelled ones too.
with

base as (
    select * from {{ ref('base_walmart__return_lines') }}
),

return_lines as (
    select
        'walmart' as connector,
        account,
        return_id,
        line,
        order_id,
        line_id,
        sku,
        quantity,
        requested_at,
        received_at,
        cast(null as timestamp) as graded_at,
        case
            when received_at is not null then 'received'
            when is_cancelled then 'cancelled'
            when is_in_transit then 'in_transit'
            when is_kept then 'authorised'
            else 'requested'
        end as native_status,
        -- what is wished for; that it was sent again, its order of type REPLACEMENT tells
        cast(null as varchar) as native_resolution,
        reason_raw,
        'unknown' as disposition,
        cast(null as varchar) as comment_hash,
        is_cancelled and received_at is null as is_closed_without_goods
    from base
)

select * from return_lines
