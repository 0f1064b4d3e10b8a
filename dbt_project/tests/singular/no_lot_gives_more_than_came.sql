-- No lot of a pool gives more units than were received, scanned or came back.
with

received as (
    select
        sku,
        stock_pool,
        lot_key,
        sum(quantity) as units
    from {{ ref('int_stock_receipt__pooled') }}
    group by sku, stock_pool, lot_key
),

returned as (
    select
        issues.sku,
        issues.stock_pool,
        sum(return_lines.quantity) as units
    from {{ ref('int_return_line__resolved') }} as return_lines
    inner join {{ ref('int_lot_issue__numbered') }} as issues
        on return_lines.order_line_key = issues.order_line_key
    where return_lines.disposition = 'sellable'
    group by issues.sku, issues.stock_pool
),

taken as (
    select
        sku,
        stock_pool,
        lot_key,
        sum(quantity) as units,
        sum(quantity_lifo) as units_lifo
    from {{ ref('fct_lot_allocation') }}
    where lot_id <> 'unattributed' and allocation_method <> 'scanned'
    group by sku, stock_pool, lot_key
)

select
    taken.lot_key,
    taken.stock_pool,
    taken.units,
    taken.units_lifo,
    received.units as units_received
from taken
left join received
    on
        taken.sku = received.sku
        and taken.stock_pool = received.stock_pool
        and taken.lot_key = received.lot_key
left join returned on taken.sku = returned.sku and taken.stock_pool = returned.stock_pool
where
    greatest(taken.units, taken.units_lifo)
    > coalesce(received.units, 0) + coalesce(returned.units, 0)
