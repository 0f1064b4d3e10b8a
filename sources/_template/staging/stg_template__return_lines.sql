with

returns as (
    select * from {{ ref('base_template__returns') }}
),

return_lines as (
    select
        'template' as connector,
        account,
        return_id,
        coalesce(line_id, '1') as line,
        order_id,
        line_id,
        sku,
        quantity,
        requested_at,
        received_at,
        cast(null as timestamp) as graded_at,
        case when received_at is not null then 'received' else 'requested' end as native_status,
        cast(null as varchar) as native_resolution,
        reason_raw,
        'unknown' as disposition,
        md5(comment) as comment_hash,
        false as is_closed_without_goods
    from returns
)

select * from return_lines
