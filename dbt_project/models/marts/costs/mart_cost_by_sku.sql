with

monthly as (
    select * from {{ ref('int_cost_month__summed') }}
),

skus as (
    select
        sku,
        category
    from {{ ref('dim_sku') }}
),

summed as (
    select
        account,
        marketplace,
        sku,
        month,
        {{ cost_month_sums() }}
    from monthly
    group by account, marketplace, sku, month
),

final as (
    select
        summed.account,
        summed.marketplace,
        summed.sku,
        coalesce(skus.category, 'unknown') as category,
        summed.month,
        summed.reporting_currency,
        {{ cost_columns("summed", "units_returned_event") }},
        cast(summed.units_returned_event as bigint) as units_returned_event,
        cast(summed.units_reimbursement_due as bigint) as units_reimbursement_due,
        {{ money("summed.reimbursement_gap") }} as reimbursement_gap
    from summed
    left join skus on summed.sku = skus.sku
)

select * from final
