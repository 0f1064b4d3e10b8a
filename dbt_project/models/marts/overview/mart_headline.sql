with

monthly as (
    select * from {{ ref('int_cost_month__summed') }}
),

ordered as (
    select
        account,
        {{ known_month("ordered_date") }} as month,
        count(distinct order_key) as orders
    from {{ ref('fct_order_line') }}
    where not is_replacement and not is_exchange
    group by account, {{ known_month("ordered_date") }}
),

cohorts as (
    select
        coalesce(account, 'all') as account,
        cohort_month,
        sum(units_shipped) as units_shipped,
        sum(units_returned) as units_returned
    from {{ ref('mart_return_base') }}
    group by grouping sets ((account, cohort_month), (cohort_month))
    having bool_and(is_mature)
),

open_actions as (
    select account
    from {{ ref('mart_action_queue') }}
    where action_state = 'open'
),

-- what concerns all accounts alike is counted in the line for all
actions as (
    select
        account,
        count(*) as actions_open
    from open_actions
    where account <> 'all'
    group by account
    union all
    select
        'all' as account,
        count(*) as actions_open
    from open_actions
),

setting as (
    select
        reporting_currency,
        include_sunk
    from {{ source('settings', 'setting') }}
),

spent as (
    select
        coalesce(account, 'all') as account,
        month,
        {{ cost_month_sums() }}
    from monthly
    group by grouping sets ((account, month), (month))
),

orders as (
    select
        coalesce(account, 'all') as account,
        month,
        sum(orders) as orders
    from ordered
    group by grouping sets ((account, month), (month))
),

keys as (
    select
        account,
        month
    from spent
    union
    select
        account,
        month
    from orders
),

-- the last cohort up to the month that is mature by now
mature as (
    select
        keys.account,
        keys.month,
        cohorts.cohort_month,
        cohorts.units_shipped,
        cohorts.units_returned
    from keys
    inner join cohorts on keys.account = cohorts.account and keys.month >= cohorts.cohort_month
    qualify row_number() over (
        partition by keys.account, keys.month order by cohorts.cohort_month desc
    ) = 1
),

last_months as (
    select
        account,
        max(month) as month
    from keys
    group by account
),

summed as (
    select
        keys.account,
        keys.month,
        orders.orders,
        mature.cohort_month as mature_month,
        mature.units_shipped as units_shipped_mature,
        mature.units_returned as units_returned_mature,
        case when spent.account is null then 0 else spent.net_sales end as net_sales,
        case when spent.account is null then 0 else spent.profit_before_after_sales end
            as profit_before_after_sales,
        {%- for column in cost_measures() + [
            "refund_retained", "units_shipped", "units_cost_known", "units_returned_event",
            "landed_cost_returned", "reimbursement_gap",
        ] %}
            coalesce(spent.{{ column }}, 0) as {{ column }},
        {%- endfor %}
        case when last_months.month is not null then coalesce(actions.actions_open, 0) end
            as actions_open,
        setting.reporting_currency,
        setting.include_sunk
    from keys
    cross join setting
    left join spent on keys.account = spent.account and keys.month = spent.month
    left join orders on keys.account = orders.account and keys.month = orders.month
    left join mature on keys.account = mature.account and keys.month = mature.month
    left join last_months on keys.account = last_months.account and keys.month = last_months.month
    left join actions on keys.account = actions.account
),

final as (
    select
        summed.account,
        'all' as marketplace,
        summed.month,
        cast(coalesce(summed.orders, 0) as bigint) as orders,
        {{ money("summed.net_sales") }} as net_sales,
        cast(summed.units_shipped as bigint) as units_shipped,
        cast(summed.units_returned_event as bigint) as units_returned_event,
        {{ rate("summed.units_returned_event", "summed.units_shipped") }} as return_rate_event,
        cast(summed.units_shipped_mature as bigint) as units_shipped_mature,
        cast(summed.units_returned_mature as bigint) as units_returned_mature,
        {{ rate("summed.units_returned_mature", "summed.units_shipped_mature") }}
            as unit_return_rate_mature,
        summed.mature_month,
        {{ money("summed.refund_net") }} as refund_net,
        {{ money(net_refund("summed")) }} as net_refund,
        {{ money("summed.after_sales_cost_total") }} as after_sales_cost_total,
        {{ money("summed.after_sales_cost_ex_refund") }} as after_sales_cost_ex_refund,
        {{ rate("summed.after_sales_cost_total", "summed.net_sales") }} as after_sales_cost_rate,
        {{ rate("summed.after_sales_cost_ex_refund", "summed.net_sales") }}
            as after_sales_cost_ex_refund_rate,
        {{ rate("summed.refund_net", "summed.net_sales") }} as refund_rate_gross,
        {{ rate(net_refund("summed"), "summed.net_sales") }} as net_refund_rate,
        {{ money(true_net_profit("summed")) }} as true_net_profit,
        {{ money(recovered_value("summed")) }} as recovered_value,
        {{ money("summed.reimbursement_gap") }} as reimbursement_gap,
        cast(null as bigint) as alerts_open,
        cast(summed.actions_open as bigint) as actions_open,
        cast(null as decimal(18, 4)) as claimed,
        summed.reporting_currency
    from summed
)

select * from final
