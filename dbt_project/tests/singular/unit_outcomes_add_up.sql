-- Every ordered unit has exactly one outcome.
with

outcomes as (
    select
        order_line_key,
        sum(quantity) as units,
        min(quantity) as fewest
    from {{ ref('fct_unit_outcome') }}
    group by order_line_key
),

order_lines as (
    select * from {{ ref('fct_order_line') }}
)

select
    order_lines.order_line_key,
    order_lines.quantity_ordered,
    outcomes.units
from order_lines
left join outcomes on order_lines.order_line_key = outcomes.order_line_key
where
    coalesce(outcomes.units, 0) <> order_lines.quantity_ordered
    or outcomes.fewest < 0
