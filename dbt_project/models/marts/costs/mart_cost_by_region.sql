with

monthly as (
    select * from {{ ref('int_cost_month__summed') }}
),

countries as (
    select
        country,
        region
    from {{ ref('dim_country') }}
),

summed as (
    select
        account,
        marketplace,
        country,
        month,
        {{ cost_month_sums() }}
    from monthly
    group by account, marketplace, country, month
),

final as (
    select
        summed.account,
        summed.marketplace,
        summed.country,
        coalesce(countries.region, 'unknown') as region,
        summed.month,
        summed.reporting_currency,
        {{ cost_columns("summed", "units_returned_event") }},
        cast(summed.units_returned_event as bigint) as units_returned_event
    from summed
    left join countries on summed.country = countries.country
)

select * from final
