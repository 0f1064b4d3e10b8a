-- A returned line is spread over lots without loss.
with

spread as (
    select
        return_line_key,
        sum(units_fraction) as units,
        sum(lot_share) as share_of_line
    from {{ ref('fct_return_lot') }}
    group by return_line_key
)

select
    return_lines.return_line_key,
    return_lines.quantity,
    spread.units
from {{ ref('fct_return_line') }} as return_lines
left join spread on return_lines.return_line_key = spread.return_line_key
where
    abs(coalesce(spread.units, 0) - return_lines.quantity) > 1e-6
    or abs(coalesce(spread.share_of_line, 0) - 1) > 1e-6
