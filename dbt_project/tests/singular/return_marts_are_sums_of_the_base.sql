-- The marts by SKU, region and reason are sums of mart_return_base.
{%- set measures = ["units_shipped", "units_returned", "units_returned_after_horizon",
    "units_refunded", "units_exchanged", "units_replaced", "units_defective", "units_graded"] %}
with

totals as (
    {%- for table in ["mart_return_base", "mart_return_rate_by_sku", "mart_return_rate_by_region"] %}
    select
        '{{ table }}' as mart,
        account,
        cohort_month,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }},
        {%- endfor %}
        sum(net_sales) as net_sales
    from {{ ref(table) }}
    group by account, cohort_month
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

reasons as (
    select
        account,
        cohort_month,
        sum(units) as units
    from {{ ref('mart_return_reason_by_sku') }}
    group by account, cohort_month
),

base as (
    select * from totals
    where mart = 'mart_return_base'
)

select
    totals.mart,
    totals.account,
    totals.cohort_month
from totals
left join base on totals.account = base.account and totals.cohort_month = base.cohort_month
where
    {%- for measure in measures %}
    totals.{{ measure }} is distinct from base.{{ measure }} or
    {%- endfor %}
    totals.net_sales is distinct from base.net_sales

union all

select
    'mart_return_reason_by_sku' as mart,
    base.account,
    base.cohort_month
from base
left join reasons on base.account = reasons.account and base.cohort_month = reasons.cohort_month
where coalesce(reasons.units, 0) <> base.units_returned
