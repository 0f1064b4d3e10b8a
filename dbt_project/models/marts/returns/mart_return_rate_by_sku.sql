with

base as (
    select * from {{ ref('mart_return_base') }}
),

skus as (
    select
        sku,
        category
    from {{ ref('dim_sku') }}
),

setting as (
    select * from {{ source('settings', 'setting') }}
),

summed as (
    select
        account,
        marketplace,
        sku,
        cohort_month,
        {{ return_sums() }}
    from base
    group by account, marketplace, sku, cohort_month
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
        rated.sku,
        coalesce(skus.category, 'unknown') as category,
        rated.cohort_month,
        rated.horizon_days,
        rated.is_mature,
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
        {{ evidence("rated.units_shipped", "rated.wilson_low", "rated.wilson_high",
            "setting.evidence_min_units", "setting.evidence_max_width") }} as evidence
    from rated
    cross join setting
    left join skus on rated.sku = skus.sku
)

select * from final
