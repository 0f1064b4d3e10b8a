with

base as (
    select * from {{ ref('mart_return_base') }}
),

lines as (
    select * from {{ ref('int_return_count__by_line') }}
),

countries as (
    select
        country,
        region
    from {{ ref('dim_country') }}
),

setting as (
    select * from {{ source('settings', 'setting') }}
),

summed as (
    select
        account,
        marketplace,
        country,
        cohort_month,
        {{ return_sums() }}
    from base
    group by account, marketplace, country, cohort_month
),

-- orders are not additive over SKUs
orders as (
    select
        account,
        marketplace,
        country,
        cohort_month,
        count(distinct order_key) as orders_shipped,
        count(distinct case when units_returned > 0 then order_key end) as orders_with_return
    from lines
    group by account, marketplace, country, cohort_month
),

rated as (
    select
        summed.*,
        {{ return_rates("summed") }}
    from summed
),

final as (
    select
        rated.account,
        rated.marketplace,
        rated.country,
        coalesce(countries.region, 'unknown') as region,
        rated.cohort_month,
        rated.is_mature,
        orders.orders_shipped,
        orders.orders_with_return,
        rated.units_shipped,
        rated.units_return_requested,
        rated.units_return_received,
        rated.units_returned,
        rated.units_returned_after_horizon,
        rated.units_refunded,
        rated.units_refunded_no_return,
        rated.units_exchanged,
        rated.units_replaced,
        rated.units_defective,
        rated.units_defective_confirmed,
        rated.units_graded,
        rated.units_resellable,
        rated.units_claimed_defective_graded,
        rated.units_no_fault_found,
        rated.too_small,
        rated.too_large,
        rated.fit_unspecified,
        rated.units_with_return_event,
        rated.units_repeat_return,
        rated.units_request_known,
        rated.units_receipt_known,
        rated.units_delivery_estimated,
        rated.net_sales,
        rated.returned_net_sales,
        rated.reporting_currency,
        rated.unit_return_rate,
        rated.unit_return_rate_mature,
        rated.wilson_low,
        rated.wilson_high,
        rated.return_or_exchange_rate,
        {{ rate("orders.orders_with_return", "orders.orders_shipped") }} as order_return_rate,
        rated.value_return_rate,
        rated.defect_rate,
        rated.defect_rate_low,
        rated.defect_rate_high,
        rated.defect_rate_confirmed,
        rated.no_fault_found_rate,
        rated.exchange_rate,
        rated.replacement_rate,
        rated.repeat_return_rate,
        rated.resellable_rate,
        {{ rate("(rated.too_small - rated.too_large)", "(rated.too_small + rated.too_large)") }}
            as size_exchange_direction,
        {{ evidence("rated.units_shipped", "rated.wilson_low", "rated.wilson_high",
            "setting.evidence_min_units", "setting.evidence_max_width") }} as evidence
    from rated
    cross join setting
    inner join orders
        on
            rated.account = orders.account
            and rated.marketplace = orders.marketplace
            and rated.country = orders.country
            and rated.cohort_month = orders.cohort_month
    left join countries on rated.country = countries.country
)

select * from final
