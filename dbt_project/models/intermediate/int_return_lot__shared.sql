-- One row per returned line and lot: the lot that inspection read, else the lots of its ordered
-- line in their shares, by the method of the pool and by LIFO.
with

return_lines as (
    select * from {{ ref('int_return_line__resolved') }}
),

inspections as (
    select * from {{ ref('int_inspection__matched') }}
    where lot_id is not null
),

allocations as (
    select * from {{ ref('int_lot_allocation__by_pool') }}
),

line_units as (
    select
        order_line_key,
        sum(quantity) as quantity,
        sum(quantity_lifo) as quantity_lifo
    from allocations
    group by order_line_key
),

read_lots as (
    select
        return_line_key,
        {{ lot_key("sku", "lot_id") }} as lot_key,
        sum(quantity) as quantity
    from inspections
    group by return_line_key, sku, lot_id
),

read_totals as (
    select
        return_line_key,
        sum(quantity) as quantity
    from read_lots
    group by return_line_key
),

inspected as (
    select
        read_lots.return_line_key,
        read_lots.lot_key,
        cast(read_lots.quantity as double) / cast(read_totals.quantity as double) as lot_share,
        cast(read_lots.quantity as double) / cast(read_totals.quantity as double) as lot_share_lifo,
        'inspected' as allocation_method
    from read_lots
    inner join read_totals on read_lots.return_line_key = read_totals.return_line_key
),

inherited as (
    select
        return_lines.return_line_key,
        allocations.lot_key,
        cast(allocations.quantity as double) / cast(line_units.quantity as double) as lot_share,
        cast(allocations.quantity_lifo as double) / cast(line_units.quantity_lifo as double)
            as lot_share_lifo,
        allocations.allocation_method
    from return_lines
    inner join allocations on return_lines.order_line_key = allocations.order_line_key
    inner join line_units on return_lines.order_line_key = line_units.order_line_key
    left join read_totals on return_lines.return_line_key = read_totals.return_line_key
    where read_totals.return_line_key is null
),

known as (
    select * from inspected
    union all
    select * from inherited
),

known_lines as (
    select distinct return_line_key from known
),

final as (
    select * from known
    union all
    select
        return_lines.return_line_key,
        {{ key_part("return_lines.sku") }} || '|unattributed' as lot_key,
        cast(1 as double) as lot_share,
        cast(1 as double) as lot_share_lifo,
        'unattributed' as allocation_method
    from return_lines
    left join known_lines on return_lines.return_line_key = known_lines.return_line_key
    where known_lines.return_line_key is null
)

select * from final
