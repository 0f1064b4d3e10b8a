with

returned_units as (
    select * from {{ ref('base_amazon__fba_returns') }}
),

return_lines as (
    select
        'amazon' as connector,
        account,
        return_id,
        '1' as line,
        coalesce(order_id, 'unknown') as order_id,
        sku as line_id,
        sku,
        quantity,
        cast(null as timestamp) as requested_at,
        returned_at as received_at,
        cast(null as timestamp) as graded_at,
        'received' as native_status,
        cast(null as varchar) as native_resolution,
        reason as reason_raw,
        {{ disposition("disposition") }} as disposition,
        md5(customer_comments) as comment_hash,
        false as is_closed_without_goods
    from returned_units
)

select * from return_lines
