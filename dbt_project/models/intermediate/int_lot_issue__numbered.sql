-- One row per ordered line that left stock, and per sellable goods that left it unsold (their key
-- stands for the line's), with a small number for the allocation.
with

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

stock_moves as (
    select * from {{ ref('int_stock_move__pooled') }}
),

issues as (
    select
        order_line_key,
        sku,
        stock_pool,
        quantity_shipped,
        shipped_at
    from order_lines
    where quantity_shipped > 0 and shipped_at is not null
    union all
    select
        stock_move_key as order_line_key,
        sku,
        stock_pool,
        -quantity as quantity_shipped,
        moved_at as shipped_at
    from stock_moves
    where grade = 'sellable' and quantity < 0
),

final as (
    select
        order_line_key,
        sku,
        stock_pool,
        {{ lot_key("sku", "stock_pool") }} as pool_key,
        quantity_shipped,
        shipped_at,
        row_number() over (order by order_line_key) as issue_no
    from issues
)

select * from final
