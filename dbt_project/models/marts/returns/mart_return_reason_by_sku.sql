with

base as (
    select * from {{ ref('mart_return_base') }}
),

lines as (
    select * from {{ ref('int_return_count__by_line') }}
),

return_lines as (
    select * from {{ ref('int_return_line__classed') }}
    where is_within_horizon and units_back > 0
),

-- precision over recall of a text code: what people of the seller have checked, if enough to
-- judge by, else the shipped sample (facts/metrics.md 4.7)
corrections as (
    select
        label,
        precision / recall as correction
    from {{ ref('meta_label_quality') }}
    where
        label_kind = 'reason'
        and language = 'all'
        and is_in_use
        and precision > 0
        and recall > 0
        and (sample = 'shipped' or (sample = 'label_review' and texts >= 100))
    qualify row_number() over (
        partition by label order by case when sample = 'label_review' then 0 else 1 end asc
    ) = 1
),

by_reason as (
    select
        lines.account,
        lines.marketplace,
        lines.country,
        lines.sku,
        lines.cohort_month,
        return_lines.reason_final as reason_l2,
        sum(return_lines.units_back) as units,
        sum(case when return_lines.reason_source = 'code' then return_lines.units_back else 0 end)
            as units_by_code,
        sum(case when return_lines.reason_source = 'text' then return_lines.units_back else 0 end)
            as units_by_text,
        sum(
            case
                when return_lines.reason_source = 'inspection' then return_lines.units_back
                else 0
            end
        ) as units_by_inspection,
        sum(case when return_lines.reason_conflict then return_lines.units_back else 0 end)
            as units_conflict
    from return_lines
    inner join lines on return_lines.order_line_key = lines.order_line_key
    group by
        lines.account,
        lines.marketplace,
        lines.country,
        lines.sku,
        lines.cohort_month,
        return_lines.reason_final
),

final as (
    select
        by_reason.account,
        by_reason.marketplace,
        by_reason.country,
        by_reason.sku,
        by_reason.cohort_month,
        {{ reason_l1("by_reason.reason_l2") }} as reason_l1,
        by_reason.reason_l2,
        cast(by_reason.units as bigint) as units,
        cast(by_reason.units_by_code as bigint) as units_by_code,
        cast(by_reason.units_by_text as bigint) as units_by_text,
        cast(by_reason.units_by_inspection as bigint) as units_by_inspection,
        cast(by_reason.units_conflict as bigint) as units_conflict,
        base.units_shipped,
        base.units_returned,
        base.is_mature,
        {{ rate("by_reason.units", "base.units_shipped") }} as reason_return_rate,
        {{ wilson_low("by_reason.units", "base.units_shipped") }} as reason_return_rate_low,
        {{ wilson_high("by_reason.units", "base.units_shipped") }} as reason_return_rate_high,
        {{ rate("by_reason.units", "base.units_returned") }} as reason_share,
        {{ corrected_units(
            "by_reason.units", "by_reason.units_by_text", "corrections.correction"
        ) }} as units_corrected,
        {{ rate(
            corrected_units(
                "by_reason.units", "by_reason.units_by_text", "corrections.correction"
            ),
            "base.units_shipped"
        ) }} as reason_return_rate_corrected
    from by_reason
    left join corrections
        on {{ text_code_of_reason("by_reason.reason_l2") }} = corrections.label
    inner join base
        on
            by_reason.account = base.account
            and by_reason.marketplace = base.marketplace
            and by_reason.country = base.country
            and by_reason.sku = base.sku
            and by_reason.cohort_month = base.cohort_month
)

select * from final
