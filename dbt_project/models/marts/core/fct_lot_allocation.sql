with

allocations as (
    select * from {{ ref('int_lot_allocation__by_pool') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

lots as (
    select * from {{ ref('dim_lot') }}
),

final as (
    select
        order_lines.order_line_key,
        order_lines.order_key,
        order_lines.account,
        order_lines.marketplace,
        order_lines.country,
        order_lines.sku,
        allocations.lot_key,
        coalesce(lots.lot_id, 'unattributed') as lot_id,
        coalesce(lots.supplier_id, 'unknown') as supplier_id,
        order_lines.stock_pool,
        allocations.quantity,
        allocations.quantity_lifo,
        cast(allocations.quantity as double) / order_lines.quantity_shipped as lot_share,
        allocations.allocation_method,
        allocations.time_violation,
        cast({{ days_between("order_lines.horizon_start_date", "lots.expiry_date") }} as bigint)
            as days_to_expiry_at_delivery,
        order_lines.cohort_month
    from allocations
    inner join order_lines on allocations.order_line_key = order_lines.order_line_key
    left join lots on allocations.lot_key = lots.lot_key
)

select * from final
