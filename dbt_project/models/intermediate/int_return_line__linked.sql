-- One row per returned line as its source tells it, linked to the ordered line where that is known.
with

conformed as (
    select * from {{ ref('int_return_line__unioned') }}
),

refs as (
    select * from {{ ref('int_order_ref__matched') }}
),

-- a file names an order in the seller's or the buyer's way; an API by its id
referenced as (
    select
        conformed.*,
        case
            when conformed.conformed_by = 'files' then refs.order_id
            else conformed.order_id
        end as known_order_id,
        coalesce(conformed.conformed_by = 'files' and refs.matches > 1, false) as is_ambiguous
    from conformed
    left join refs
        on
            conformed.connector = refs.connector
            and conformed.account = refs.account
            and conformed.order_id = refs.order_ref
),

-- only of orders that are asked for: a small part of all
order_lines as (
    select lines.*
    from {{ ref('int_order_line__enriched') }} as lines
    where exists (
        select 1
        from referenced
        where
            lines.connector = referenced.connector
            and lines.account = referenced.account
            and lines.order_id = referenced.known_order_id
    )
),

candidates as (
    select
        referenced.return_line_key,
        order_lines.order_line_key,
        case
            when referenced.line_id = order_lines.line_id then 1
            when referenced.sku = order_lines.source_sku then 2
            when referenced.sku = order_lines.sku then 3
        end as preference
    from referenced
    inner join order_lines
        on
            referenced.connector = order_lines.connector
            and referenced.account = order_lines.account
            and referenced.known_order_id = order_lines.order_id
    where
        referenced.line_id = order_lines.line_id
        or referenced.sku = order_lines.source_sku
        or referenced.sku = order_lines.sku
),

chosen as (
    select *
    from candidates
    qualify row_number() over (
        partition by return_line_key order by preference, order_line_key
    ) = 1
),

orders as (
    select distinct
        connector,
        account,
        order_id,
        order_key,
        marketplace,
        country,
        region,
        time_zone
    from order_lines
    qualify row_number() over (
        partition by connector, account, order_id order by order_line_key
    ) = 1
),

final as (
    select
        referenced.return_line_key,
        coalesce(chosen.order_line_key, 'unknown') as order_line_key,
        coalesce(orders.order_key, 'unknown') as order_key,
        referenced.connector,
        referenced.account,
        referenced.return_id,
        referenced.order_id as order_ref,
        coalesce(orders.marketplace, 'unknown') as marketplace,
        coalesce(orders.country, 'ZZ') as country,
        coalesce(orders.region, 'unknown') as region,
        coalesce(orders.time_zone, 'UTC') as time_zone,
        coalesce(referenced.sku, referenced.line_id, 'unknown') as source_sku,
        referenced.quantity,
        referenced.requested_at,
        referenced.received_at,
        referenced.graded_at,
        cast(null as timestamp) as refund_evidence_at,
        referenced.native_status,
        referenced.native_resolution,
        referenced.reason_raw,
        referenced.disposition,
        coalesce(referenced.comment_hash, 'none') as text_hash,
        referenced.is_closed_without_goods,
        referenced.is_ambiguous
    from referenced
    left join chosen on referenced.return_line_key = chosen.return_line_key
    left join orders
        on
            referenced.connector = orders.connector
            and referenced.account = orders.account
            and referenced.known_order_id = orders.order_id
)

select * from final
