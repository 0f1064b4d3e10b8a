with

returns as (
    select * from {{ ref('base_files__returns') }}
),

worded as (
    select
        *,
        case
            when status in (
                'requested', 'authorised', 'in_transit', 'received', 'graded', 'refunded',
                'exchanged', 'denied', 'cancelled', 'closed'
            ) then status
            when status in ('canceled', 'withdrawn') then 'cancelled'
            when status in ('declined', 'rejected') then 'denied'
            when status in ('expired') then 'closed'
            when status in ('authorized', 'approved') then 'authorised'
            when received_at is not null then 'received'
            else 'requested'
        end as native_status
    from returns
),

return_lines as (
    select
        connector,
        account,
        return_ref as return_id,
        coalesce(line_ref, sku, '1') as line,
        order_ref as order_id,
        line_ref as line_id,
        sku,
        quantity,
        requested_at,
        received_at,
        cast(null as timestamp) as graded_at,
        native_status,
        resolution as native_resolution,
        reason_code as reason_raw,
        {{ disposition("disposition") }} as disposition,
        md5(comment) as comment_hash,
        received_at is null
        and (
            native_status in ('denied', 'cancelled')
            or (native_status = 'closed' and coalesce(resolution, 'none') = 'none')
        ) as is_closed_without_goods
    from worded
)

select * from return_lines
