-- Units that count as returned, in time or later, are those that ended returned and refunded or are
-- still on their way: the rate and the partition tell one story.
select
    counts.order_line_key,
    counts.units_returned,
    counts.units_returned_after_horizon,
    outcomes.returned_refunded,
    outcomes.return_in_progress
from {{ ref('int_return_count__by_line') }} as counts
inner join {{ ref('int_unit_outcome__counted') }} as outcomes
    on counts.order_line_key = outcomes.order_line_key
where
    counts.units_returned + counts.units_returned_after_horizon
    <> outcomes.returned_refunded + outcomes.return_in_progress
