with

receipts as (
    select * from {{ ref('int_stock_receipt__pooled') }}
),

allocations as (
    select * from {{ ref('int_lot_allocation__by_pool') }}
    where quantity > 0
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

return_lines as (
    select * from {{ ref('int_return_line__resolved') }}
    where received_at is not null and not is_closed_without_goods and order_line_key <> 'unknown'
),

stock_moves as (
    select * from {{ ref('int_stock_move__pooled') }}
),

lots as (
    select * from {{ ref('dim_lot') }}
),

received as (
    select
        'receipt|' || receipt_id || '|' || cast(line_no as varchar) || '|' || lot_key as origin,
        coalesce(account, 'unknown') as account,
        coalesce(marketplace, 'unknown') as marketplace,
        sku,
        lot_key,
        stock_pool,
        fulfilment_centre_id,
        'receipt' as move_kind,
        'in' as direction,
        quantity,
        'sellable' as grade,
        received_at as moved_at,
        line_no as source_seq,
        'none' as order_line_key,
        move_source
    from receipts
    where quantity > 0
),

damaged as (
    select
        'damaged|' || receipt_id || '|' || cast(line_no as varchar) || '|' || lot_key as origin,
        coalesce(account, 'unknown') as account,
        coalesce(marketplace, 'unknown') as marketplace,
        sku,
        lot_key,
        stock_pool,
        fulfilment_centre_id,
        'receipt' as move_kind,
        'in' as direction,
        quantity_damaged as quantity,
        'unsellable' as grade,
        received_at as moved_at,
        line_no as source_seq,
        'none' as order_line_key,
        move_source
    from receipts
    where quantity_damaged > 0
),

sold as (
    select
        'sale|' || allocations.order_line_key || '|' || allocations.lot_key as origin,
        order_lines.account,
        order_lines.marketplace,
        order_lines.sku,
        allocations.lot_key,
        order_lines.stock_pool,
        order_lines.fulfilment_centre_id,
        'sale' as move_kind,
        'out' as direction,
        allocations.quantity,
        'sellable' as grade,
        order_lines.shipped_at as moved_at,
        cast(1 as bigint) as source_seq,
        order_lines.order_line_key,
        'order' as move_source
    from allocations
    inner join order_lines on allocations.order_line_key = order_lines.order_line_key
),

returned as (
    select
        'return|' || return_lines.return_line_key as origin,
        order_lines.account,
        order_lines.marketplace,
        order_lines.sku,
        {{ key_part("order_lines.sku") }} || '|unattributed' as lot_key,
        order_lines.stock_pool,
        'unknown' as fulfilment_centre_id,
        'return_to_stock' as move_kind,
        'in' as direction,
        return_lines.quantity,
        case when return_lines.disposition = 'sellable' then 'sellable' else 'unsellable' end
            as grade,
        return_lines.received_at as moved_at,
        cast(1 as bigint) as source_seq,
        return_lines.order_line_key,
        'return' as move_source
    from return_lines
    inner join order_lines on return_lines.order_line_key = order_lines.order_line_key
),

-- sellable goods that left have the lots that the allocation gives them; nobody knows the others'
adjusted as (
    select
        stock_moves.stock_move_key || coalesce('|' || allocations.lot_key, '') as origin,
        stock_moves.account,
        'unknown' as marketplace,
        stock_moves.sku,
        coalesce(
            allocations.lot_key, {{ key_part("stock_moves.sku") }} || '|unattributed'
        ) as lot_key,
        stock_moves.stock_pool,
        stock_moves.fulfilment_centre_id,
        stock_moves.move_kind,
        case when stock_moves.quantity > 0 then 'in' else 'out' end as direction,
        coalesce(allocations.quantity, abs(stock_moves.quantity)) as quantity,
        stock_moves.grade,
        stock_moves.moved_at,
        cast(1 as bigint) as source_seq,
        'none' as order_line_key,
        'inventory_ledger' as move_source
    from stock_moves
    left join allocations on stock_moves.stock_move_key = allocations.order_line_key
),

moves as (
    select * from received
    union all
    select * from damaged
    union all
    select * from sold
    union all
    select * from returned
    union all
    select * from adjusted
),

final as (
    select
        md5(moves.origin) as move_key,
        moves.account,
        moves.marketplace,
        moves.sku,
        moves.lot_key,
        coalesce(lots.lot_id, 'unattributed') as lot_id,
        moves.stock_pool,
        moves.fulfilment_centre_id,
        moves.move_kind,
        moves.direction,
        moves.quantity,
        moves.grade,
        moves.moved_at,
        moves.source_seq,
        moves.order_line_key,
        moves.move_source
    from moves
    left join lots on moves.lot_key = lots.lot_key
)

select * from final
