with

costs as (
    select * from {{ ref('fct_after_sales_cost') }}
),

profits as (
    select
        order_line_key,
        net_sales
    from {{ ref('mart_order_profit') }}
),

allocations as (
    select * from {{ ref('fct_lot_allocation') }}
    where quantity > 0
),

lots as (
    select * from {{ ref('dim_lot') }}
),

reasons as (
    select
        reason_l2,
        reason_class
    from {{ ref('dim_reason') }}
),

counted as (
    select
        lot_key,
        units_shipped,
        units_returned
    from {{ ref('mart_return_rate_by_lot') }}
),

setting as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

-- the lots of a returned line, else those of the ordered line
shares as (
    select
        return_line_key as share_key,
        lot_key,
        lot_share
    from {{ ref('fct_return_lot') }}
    union all
    select
        order_line_key as share_key,
        lot_key,
        lot_share
    from allocations
),

lot_costs as (
    select
        costs.component,
        costs.direction,
        costs.source,
        costs.counts_in_k01,
        costs.counts_in_k02,
        costs.attributed_party,
        reasons.reason_class,
        coalesce(
            shares.lot_key,
            case
                when costs.sku in ('unknown', 'none') then 'unknown'
                else {{ lot_key("costs.sku", "'unattributed'") }}
            end
        ) as lot_key,
        -- exact from here on: a sum of floats depends on the order of its rows
        cast(
            cast(costs.amount_reporting as double) * coalesce(shares.lot_share, 1)
            as decimal(38, 10)
        ) as lot_amount
    from costs
    inner join reasons on costs.reason_l2 = reasons.reason_l2
    left join shares
        on
            case
                when costs.return_line_key in ('none', 'unknown') then costs.order_line_key
                else costs.return_line_key
            end = shares.share_key
),

spent as (
    select
        lot_costs.lot_key,
        {{ cost_sums("lot_costs", "lot_amount") }},
        sum(case
            when lot_costs.counts_in_k02 and lot_costs.reason_class = 'defect'
                then {{ signed_cost("lot_costs", "lot_amount") }}
            else 0
        end) as defect_cost,
        sum(case
            when
                lot_costs.counts_in_k02 and lot_costs.reason_class = 'defect'
                and lot_costs.attributed_party = 'supplier'
                then {{ signed_cost("lot_costs", "lot_amount") }}
            else 0
        end) as supplier_cost
    from lot_costs
    group by lot_costs.lot_key
),

sold as (
    select
        allocations.lot_key,
        sum(
            cast(
                cast(profits.net_sales as double) * allocations.lot_share as decimal(38, 10)
            )
        ) as net_sales
    from allocations
    inner join profits on allocations.order_line_key = profits.order_line_key
    group by allocations.lot_key
),

keys as (
    select lot_key from spent
    union
    select lot_key from sold
),

summed as (
    select
        keys.lot_key,
        {{ money("case when sold.lot_key is null then 0 else sold.net_sales end") }} as net_sales,
        {%- for column in cost_measures() + ["defect_cost", "supplier_cost"] %}
            {{ money("coalesce(spent." ~ column ~ ", 0)") }} as {{ column }},
        {%- endfor %}
        coalesce(counted.units_shipped, 0) as units_shipped,
        coalesce(counted.units_returned, 0) as units_returned
    from keys
    left join sold on keys.lot_key = sold.lot_key
    left join spent on keys.lot_key = spent.lot_key
    left join counted on keys.lot_key = counted.lot_key
),

final as (
    select
        summed.lot_key,
        coalesce(lots.sku, 'unknown') as sku,
        coalesce(lots.lot_id, 'unattributed') as lot_id,
        coalesce(lots.supplier_id, 'unknown') as supplier_id,
        setting.reporting_currency,
        {{ money("summed.net_sales") }} as net_sales,
        cast(summed.units_shipped as bigint) as units_shipped,
        cast(summed.units_returned as double) as units_returned,
        {{ cost_columns("summed", none) }},
        {{ money("summed.defect_cost") }} as defect_cost,
        {{ rate("summed.supplier_cost", "summed.defect_cost") }} as claimable_share
    from summed
    cross join setting
    left join lots on summed.lot_key = lots.lot_key
)

select * from final
