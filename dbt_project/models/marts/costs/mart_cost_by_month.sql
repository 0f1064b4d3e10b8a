with

costs as (
    select * from {{ ref('fct_after_sales_cost') }}
),

setting as (
    select
        reporting_currency,
        include_sunk
    from {{ source('settings', 'setting') }}
),

-- of the whole account, whatever the marketplace of the row
sales as (
    select
        account,
        month,
        sum(net_sales) as net_sales
    from {{ ref('int_cost_month__summed') }}
    group by account, month
),

signed as (
    select
        costs.account,
        costs.marketplace,
        {{ known_month("costs.event_date") }} as month,
        costs.component,
        costs.source,
        {{ component_sign("costs.component") }} * {{ signed_cost("costs", "amount_reporting") }}
            as amount
    from costs
),

summed as (
    select
        account,
        marketplace,
        month,
        component,
        coalesce(sum(amount), 0) as amount,
        coalesce(sum(case when source = 'billed' then amount end), 0) as billed,
        coalesce(sum(case when source = 'estimated' then amount end), 0) as estimated,
        coalesce(sum(case when source = 'unallocated' then amount end), 0) as unallocated
    from signed
    group by account, marketplace, month, component
),

final as (
    select
        summed.account,
        summed.marketplace,
        summed.month,
        summed.component,
        cast(
            case
                when {{ counts_in_k01("summed.component", "setting.include_sunk") }}
                    then {{ component_sign("summed.component") }}
                else 0
            end as bigint
        ) as sign,
        {{ money("summed.amount") }} as amount_reporting,
        {{ money("summed.billed") }} as billed_reporting,
        {{ money("summed.estimated") }} as estimated_reporting,
        {{ money("summed.unallocated") }} as unallocated_reporting,
        {{ money("coalesce(earlier.amount, 0)") }} as previous_month_reporting,
        {{ money("coalesce(sales.net_sales, 0)") }} as net_sales,
        {{ rate("summed.amount", "sales.net_sales") }} as share_of_net_sales,
        setting.reporting_currency
    from summed
    cross join setting
    left join summed as earlier
        on
            summed.account = earlier.account
            and summed.marketplace = earlier.marketplace
            and summed.component = earlier.component
            and earlier.month = cast(summed.month - interval '1' month as date)
    left join sales on summed.account = sales.account and summed.month = sales.month
)

select * from final
