-- Every shipped unit is given to one lot or stands unattributed, by the method and by LIFO.
with

allocated as (
    select
        order_line_key,
        sum(quantity) as units,
        sum(quantity_lifo) as units_lifo
    from {{ ref('fct_lot_allocation') }}
    group by order_line_key
),

order_lines as (
    select * from {{ ref('fct_order_line') }}
    where shipped_at is not null
)

select
    order_lines.order_line_key,
    order_lines.quantity_shipped,
    allocated.units,
    allocated.units_lifo
from order_lines
left join allocated on order_lines.order_line_key = allocated.order_line_key
where
    coalesce(allocated.units, 0) <> order_lines.quantity_shipped
    or coalesce(allocated.units_lifo, 0) <> order_lines.quantity_shipped
