-- One row per order line of which the marketplace owes units and has not paid all: goods that its
-- warehouse or carrier damaged, and refunds for goods that never came back after 45 days (K10).
with

order_lines as (
    select * from {{ ref('fct_order_line') }}
    where fulfilled_by = 'marketplace'
),

returns_back as (
    select * from {{ ref('int_cost_return__valued') }}
),

refunds as (
    select * from {{ ref('fct_refund_line') }}
    where kind in ('inr', 'returnless') and not is_duplicate_of_chargeback
),

costs as (
    select * from {{ ref('fct_after_sales_cost') }}
    where component = 'reimbursement'
),

data_until as (
    select data_until_date from {{ ref('int_data_until') }}
),

owed as (
    select
        order_line_key,
        quantity as units_damaged,
        0 as units_not_back,
        back_at as due_at,
        back_date as due_date
    from returns_back
    where disposition in ('warehouse_damaged', 'carrier_damaged')
    union all
    select
        refunds.order_line_key,
        0 as units_damaged,
        refunds.units_refunded as units_not_back,
        refunds.refunded_at as due_at,
        refunds.refunded_date as due_date
    from refunds
    cross join data_until
    left join returns_back on refunds.return_line_key = returns_back.return_line_key
    where
        returns_back.return_line_key is null
        and {{ add_days("refunds.refunded_date", 45) }} <= data_until.data_until_date
),

owed_lines as (
    select
        order_line_key,
        sum(units_damaged) as units_damaged,
        sum(units_not_back) as units_not_back,
        sum(units_damaged + units_not_back) as units,
        min(due_at) as due_at,
        min(due_date) as due_date
    from owed
    group by order_line_key
),

paid as (
    select
        order_line_key,
        sum(case when direction = 'credit' then amount_reporting else -amount_reporting end)
            as reimbursed
    from costs
    group by order_line_key
),

final as (
    select
        order_lines.order_line_key,
        order_lines.order_key,
        order_lines.account,
        order_lines.marketplace,
        order_lines.country,
        order_lines.sku,
        {{ known_month("owed_lines.due_date") }} as month,
        owed_lines.due_at,
        owed_lines.due_date,
        cast(owed_lines.units_damaged as bigint) as units_damaged,
        cast(owed_lines.units_not_back as bigint) as units_not_back,
        cast(owed_lines.units as bigint) as units_due,
        {{ money("owed_lines.units * order_lines.unit_landed_cost_reporting") }} as due_reporting,
        {{ money("coalesce(paid.reimbursed, 0)") }} as reimbursed_reporting,
        -- what is owed for a unit of unknown cost is not known
        case
            when order_lines.unit_landed_cost_reporting is not null
                then {{ money("greatest(
                    owed_lines.units * order_lines.unit_landed_cost_reporting
                    - coalesce(paid.reimbursed, 0), 0
                )") }}
        end as gap_reporting
    from owed_lines
    inner join order_lines on owed_lines.order_line_key = order_lines.order_line_key
    left join paid on owed_lines.order_line_key = paid.order_line_key
    where owed_lines.units > 0
)

select * from final
