-- One row per move of stock that the allocation of lots walks through: scans, receipts and goods
-- found, units returned to stock, sales and goods that left unsold, with its pool (SKU and stock
-- pool). At one moment stock comes in before it goes out; scans come before everything.
with

issues as (
    select * from {{ ref('int_lot_issue__numbered') }}
),

receipts as (
    select * from {{ ref('int_stock_receipt__pooled') }}
),

scans as (
    select * from {{ ref('int_lot_scan__matched') }}
),

return_lines as (
    select * from {{ ref('int_return_line__resolved') }}
),

inspections as (
    select * from {{ ref('int_inspection__matched') }}
),

lots as (
    select * from {{ ref('int_lot__numbered') }}
),

scanned as (
    select
        issues.sku,
        issues.stock_pool,
        0 as kind,
        lots.lot_key,
        lots.expiry_date,
        scans.quantity,
        issues.order_line_key,
        cast(-1 as bigint) as at_us,
        issues.order_line_key as sequence
    from scans
    inner join issues on scans.order_line_key = issues.order_line_key
    inner join lots on scans.lot_key = lots.lot_key
),

scanned_units as (
    select
        order_line_key,
        cast(sum(quantity) as bigint) as quantity
    from scans
    group by order_line_key
),

received as (
    select
        receipts.sku,
        receipts.stock_pool,
        1 as kind,
        lots.lot_key,
        lots.expiry_date,
        receipts.quantity,
        'none' as order_line_key,
        {{ epoch_microseconds("receipts.received_at") }} as at_us,
        receipts.receipt_id || '|' || lpad(cast(receipts.line_no as varchar), 9, '0') as sequence
    from receipts
    inner join lots on receipts.lot_key = lots.lot_key
    where receipts.quantity > 0
),

stock_moves as (
    select * from {{ ref('int_stock_move__pooled') }}
),

-- which lot they are of nobody knows
found as (
    select
        sku,
        stock_pool,
        1 as kind,
        'none' as lot_key,
        cast(null as date) as expiry_date,
        quantity,
        'none' as order_line_key,
        {{ epoch_microseconds("moved_at") }} as at_us,
        stock_move_key as sequence
    from stock_moves
    where grade = 'sellable' and quantity > 0
),

inspected_lots as (
    select
        return_line_key,
        {{ lot_key("sku", "lot_id") }} as lot_key
    from inspections
    where lot_id is not null
    qualify row_number() over (
        partition by return_line_key order by quantity desc, inspected_at desc, inspection_id asc
    ) = 1
),

returned as (
    select
        issues.sku,
        issues.stock_pool,
        2 as kind,
        coalesce(lots.lot_key, 'none') as lot_key,
        lots.expiry_date,
        return_lines.quantity,
        issues.order_line_key,
        {{ epoch_microseconds("return_lines.received_at") }} as at_us,
        return_lines.return_line_key as sequence
    from return_lines
    inner join issues on return_lines.order_line_key = issues.order_line_key
    left join inspected_lots on return_lines.return_line_key = inspected_lots.return_line_key
    left join lots on inspected_lots.lot_key = lots.lot_key
    where
        return_lines.received_at is not null
        and return_lines.disposition = 'sellable'
        and not return_lines.is_closed_without_goods
),

sold as (
    select
        issues.sku,
        issues.stock_pool,
        3 as kind,
        'none' as lot_key,
        cast(null as date) as expiry_date,
        issues.quantity_shipped - coalesce(scanned_units.quantity, 0) as quantity,
        issues.order_line_key,
        {{ epoch_microseconds("issues.shipped_at") }} as at_us,
        issues.order_line_key as sequence
    from issues
    left join scanned_units on issues.order_line_key = scanned_units.order_line_key
    where issues.quantity_shipped > coalesce(scanned_units.quantity, 0)
),

moves as (
    select * from scanned
    union all
    select * from received
    union all
    select * from found
    union all
    select * from returned
    union all
    select * from sold
),

final as (
    select
        {{ lot_key("sku", "stock_pool") }} as pool_key,
        cast(at_us as bigint) as at_us,
        cast(kind as bigint) as kind,
        sequence,
        lot_key,
        cast({{ days_between("cast('1970-01-01' as date)", "expiry_date") }} as bigint)
            as expiry_day,
        cast(quantity as bigint) as quantity,
        order_line_key
    from moves
)

select * from final
