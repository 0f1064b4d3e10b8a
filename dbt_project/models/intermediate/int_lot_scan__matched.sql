-- One row per ordered line and lot that was scanned when packing: its units, never more than were
-- shipped.
with

allocations as (
    select * from {{ ref('base_files__lot_allocations') }}
),

refs as (
    select * from {{ ref('int_order_ref__matched') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
    where quantity_shipped > 0
),

referenced as (
    select
        allocations.*,
        refs.order_id
    from allocations
    inner join refs
        on
            allocations.connector = refs.connector
            and allocations.account = refs.account
            and allocations.order_ref = refs.order_ref
    where refs.order_id is not null
),

candidates as (
    select
        order_lines.order_line_key,
        referenced.order_ref,
        order_lines.sku,
        referenced.lot_id,
        referenced.quantity,
        order_lines.quantity_shipped,
        referenced.sku as scanned_sku
    from referenced
    inner join order_lines
        on
            referenced.connector = order_lines.connector
            and referenced.account = order_lines.account
            and referenced.order_id = order_lines.order_id
            and referenced.sku in (order_lines.sku, order_lines.source_sku)
),

-- an order may have a SKU on several lines: its scans go to them in turn
scans as (
    select
        *,
        sum(quantity) over (
            partition by order_line_key
            order by lot_id
            rows between unbounded preceding and current row
        ) as scanned_so_far,
        sum(quantity_shipped) over (
            partition by order_ref, scanned_sku, lot_id
            order by order_line_key
            rows between unbounded preceding and current row
        ) as shipped_so_far
    from candidates
),

spread as (
    select
        order_line_key,
        sku,
        lot_id,
        {{ overlap("scanned_so_far - quantity", "scanned_so_far",
            "shipped_so_far - quantity_shipped", "shipped_so_far") }} as quantity
    from scans
),

final as (
    select
        order_line_key,
        {{ lot_key("sku", "lot_id") }} as lot_key,
        lot_id,
        cast(sum(quantity) as bigint) as quantity
    from spread
    where quantity > 0
    group by order_line_key, sku, lot_id
)

select * from final
