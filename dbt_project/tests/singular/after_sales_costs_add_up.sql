-- K01 = K02 + refund - (fees kept + fees given back), profit after = profit before - K01 + goods that
-- came back, and every table of costs has the total of fct_after_sales_cost (lots by shares: to 0.01).
-- Where sunk costs count, they are in the profit of the sale already.
with

setting as (
    select include_sunk from {{ source('settings', 'setting') }}
),

costs as (
    select * from {{ ref('fct_after_sales_cost') }}
),

fact as (
    select
        coalesce(sum(case when counts_in_k01 then {{ signed_cost("costs", "amount_reporting") }} end), 0)
            as k01,
        coalesce(sum(case when counts_in_k02 then {{ signed_cost("costs", "amount_reporting") }} end), 0)
            as k02,
        coalesce(sum(case
            when counts_in_k01 then {{ signed_cost("costs", "amount_order_rate_reporting") }}
        end), 0) as k01_cohort
    from costs
),

wrong_lines as (
    select order_line_key as what
    from {{ ref('mart_order_profit') }}
    cross join setting
    where
        after_sales_cost_total
        <> after_sales_cost_ex_refund + refund_net - (platform_fee_kept + fee_credit)
        or (
            not setting.include_sunk
            and true_net_profit
            <> profit_before_after_sales - after_sales_cost_total + landed_cost_returned
        )
),

totals as (
    select
        'mart_cost_by_sku' as what,
        sum(after_sales_cost_total) as k01,
        sum(after_sales_cost_ex_refund) as k02,
        0 as tolerance
    from {{ ref('mart_cost_by_sku') }}
    union all
    select
        'mart_cost_by_region' as what,
        sum(after_sales_cost_total) as k01,
        sum(after_sales_cost_ex_refund) as k02,
        0 as tolerance
    from {{ ref('mart_cost_by_region') }}
    union all
    select
        'mart_headline' as what,
        sum(after_sales_cost_total) as k01,
        sum(after_sales_cost_ex_refund) as k02,
        0 as tolerance
    from {{ ref('mart_headline') }}
    where account = 'all'
    union all
    select
        'mart_cost_by_lot' as what,
        sum(after_sales_cost_total) as k01,
        sum(after_sales_cost_ex_refund) as k02,
        0.0001 * count(*) as tolerance
    from {{ ref('mart_cost_by_lot') }}
    union all
    select
        'mart_cost_by_month' as what,
        sum(bills.sign * bills.amount_reporting) as k01,
        min(fact.k02) as k02,
        0 as tolerance
    from {{ ref('mart_cost_by_month') }} as bills
    cross join fact
    union all
    select
        'mart_cost_by_sku_cohort' as what,
        sum(cohorts.after_sales_cost_total) - min(fact.k01_cohort) + min(fact.k01) as k01,
        sum(cohorts.after_sales_cost_ex_refund) as k02,
        0 as tolerance
    from {{ ref('mart_cost_by_sku_cohort') }} as cohorts
    cross join fact
)

select what
from wrong_lines

union all

select totals.what
from totals
cross join fact
where
    abs(coalesce(totals.k01, 0) - fact.k01) > totals.tolerance
    or abs(coalesce(totals.k02, 0) - fact.k02) > totals.tolerance
