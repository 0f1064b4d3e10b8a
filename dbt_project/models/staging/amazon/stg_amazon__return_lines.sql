-- One row per unit that came back to a fulfilment centre, and per item of a return to the seller.
with

returned_units as (
    select * from {{ ref('base_amazon__fba_returns') }}
),

returned_items as (
    select * from {{ ref('base_amazon__mfn_returns') }}
),

of_fba as (
    select
        account,
        return_id,
        '1' as line,
        coalesce(order_id, 'unknown') as order_id,
        sku,
        quantity,
        cast(null as timestamp) as requested_at,
        returned_at as received_at,
        'received' as native_status,
        reason as reason_raw,
        {{ disposition("disposition") }} as disposition,
        md5(customer_comments) as comment_hash
    from returned_units
),

of_sellers as (
    select
        account,
        return_id,
        line,
        order_id,
        sku,
        quantity,
        requested_at,
        received_at,
        case
            when request_status in ('DENIED', 'REJECTED', 'DECLINED') then 'denied'
            when request_status in ('CANCELLED', 'CANCELED', 'WITHDRAWN') then 'cancelled'
            when received_at is not null then 'received'
            when request_status in ('APPROVED', 'AUTHORIZED', 'AUTHORISED') then 'authorised'
            when request_status in ('CLOSED', 'COMPLETED', 'EXPIRED') then 'closed'
            else 'requested'
        end as native_status,
        reason as reason_raw,
        'unknown' as disposition,
        cast(null as varchar) as comment_hash
    from returned_items
),

told as (
    select * from of_fba
    union all
    select * from of_sellers
),

return_lines as (
    select
        'amazon' as connector,
        account,
        return_id,
        line,
        order_id,
        sku as line_id,
        sku,
        quantity,
        requested_at,
        received_at,
        cast(null as timestamp) as graded_at,
        native_status,
        cast(null as varchar) as native_resolution,
        reason_raw,
        disposition,
        comment_hash,
        received_at is null and native_status in ('denied', 'cancelled')
            as is_closed_without_goods
    from told
)

select * from return_lines
