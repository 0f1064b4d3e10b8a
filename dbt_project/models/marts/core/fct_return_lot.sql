with

return_lines as (
    select * from {{ ref('int_return_line__resolved') }}
),

return_lots as (
    select * from {{ ref('int_return_lot__shared') }}
),

lots as (
    select * from {{ ref('dim_lot') }}
),

final as (
    select
        return_lines.return_line_key,
        return_lines.order_line_key,
        return_lots.lot_key,
        coalesce(lots.lot_id, 'unattributed') as lot_id,
        coalesce(lots.supplier_id, 'unknown') as supplier_id,
        return_lines.sku,
        return_lines.account,
        return_lines.marketplace,
        return_lines.quantity * return_lots.lot_share as units_fraction,
        return_lots.lot_share,
        return_lots.allocation_method
    from return_lots
    inner join return_lines on return_lots.return_line_key = return_lines.return_line_key
    left join lots on return_lots.lot_key = lots.lot_key
    where return_lots.lot_share > 0
)

select * from final
