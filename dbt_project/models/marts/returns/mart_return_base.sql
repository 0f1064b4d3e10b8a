with

lines as (
    select * from {{ ref('int_return_count__by_line') }}
),

final as (
    select
        account,
        marketplace,
        country,
        sku,
        cohort_month,
        {{ return_sums() }}
    from lines
    group by account, marketplace, country, sku, cohort_month
)

select * from final
