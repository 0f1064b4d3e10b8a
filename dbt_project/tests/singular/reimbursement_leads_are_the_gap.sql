-- The leads in the action queue add up to what the cost tables call the reimbursement gap (K10),
-- where the cost of the units is known.
with

leads as (
    select coalesce(sum(actions.money_at_stake), 0) as amount
    from {{ ref('mart_action_queue') }} as actions
    inner join {{ ref('int_reimbursement__due') }} as owed
        on actions.entity_key = owed.order_line_key
    where actions.queue = 'reimbursement_lead' and owed.due_reporting is not null
),

gap as (
    select coalesce(sum(reimbursement_gap), 0) as amount
    from {{ ref('mart_cost_by_sku') }}
)

select
    leads.amount as leads,
    gap.amount as gap
from leads
cross join gap
where leads.amount <> gap.amount
