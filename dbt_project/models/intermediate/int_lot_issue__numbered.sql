-- One row per ordered line that left stock, with a small number for the allocation.
with

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
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
    from order_lines
    where quantity_shipped > 0 and shipped_at is not null
)

select * from final
