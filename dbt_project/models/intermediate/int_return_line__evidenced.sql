-- One row per returned line with the day that counts, its reasons and the state of the goods. Rows
-- beyond the units that were shipped are cut away here (see int_quarantine__modelled).
with

linked as (
    select * from {{ ref('int_return_line__linked') }}
    where not is_ambiguous
),

refunds as (
    select * from {{ ref('int_refund_line__counted') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

inspections as (
    select * from {{ ref('int_inspection__matched') }}
),

reasons as (
    select * from {{ ref('int_return_reason__mapped') }}
),

canonical as (
    select * from {{ ref('dim_reason') }}
),

-- a refund with goods back of which no return tells: the refund is the evidence
refunds_with_goods as (
    select
        *,
        sum(units_refunded) over (
            partition by order_line_key
            order by refunded_at, refund_line_key
            rows between unbounded preceding and current row
        ) as units_so_far
    from refunds
    where
        order_line_key <> 'unknown'
        and units_refunded > 0
        and return_id is null
        and (is_returnless = false or native_kind = 'full_return')
        and coalesce(native_kind, 'full_return') = 'full_return'
),

told_units as (
    select
        order_line_key,
        cast(sum(quantity) as bigint) as units
    from linked
    where not is_closed_without_goods
    group by order_line_key
),

untold as (
    select
        refunds_with_goods.*,
        least(
            refunds_with_goods.units_refunded,
            refunds_with_goods.units_so_far - coalesce(told_units.units, 0)
        ) as untold_units
    from refunds_with_goods
    left join told_units on refunds_with_goods.order_line_key = told_units.order_line_key
),

from_refunds as (
    select
        {{ colon_key(["untold.connector", "untold.account", "'refund-' || untold.refund_id",
            "untold.line"]) }} as return_line_key,
        untold.order_line_key,
        untold.order_key,
        untold.connector,
        untold.account,
        'refund-' || untold.refund_id as return_id,
        order_lines.marketplace,
        order_lines.country,
        order_lines.region,
        order_lines.time_zone,
        untold.sku as source_sku,
        untold.untold_units as quantity,
        untold.refunded_at as refund_evidence_at
    from untold
    inner join order_lines on untold.order_line_key = order_lines.order_line_key
    where untold.untold_units > 0
),

evidence as (
    select
        return_line_key,
        order_line_key,
        order_key,
        connector,
        account,
        return_id,
        marketplace,
        country,
        region,
        time_zone,
        source_sku,
        quantity,
        requested_at,
        received_at,
        graded_at,
        refund_evidence_at,
        native_status,
        native_resolution,
        reason_raw,
        disposition,
        text_hash,
        is_closed_without_goods
    from linked
    union all
    select
        return_line_key,
        order_line_key,
        order_key,
        connector,
        account,
        return_id,
        marketplace,
        country,
        region,
        time_zone,
        source_sku,
        quantity,
        cast(null as timestamp) as requested_at,
        cast(null as timestamp) as received_at,
        cast(null as timestamp) as graded_at,
        refund_evidence_at,
        'refunded' as native_status,
        'refund' as native_resolution,
        cast(null as varchar) as reason_raw,
        'unknown' as disposition,
        'none' as text_hash,
        false as is_closed_without_goods
    from from_refunds
),

dated as (
    select
        evidence.*,
        coalesce(order_lines.sku, evidence.source_sku) as sku,
        order_lines.product_id,
        order_lines.category,
        order_lines.customer_key,
        order_lines.cohort_month,
        order_lines.horizon_start_date,
        order_lines.horizon_days,
        order_lines.quantity_shipped,
        order_lines.delivered_at,
        order_lines.replaces_order_key,
        {{ local_date(
            "coalesce(evidence.requested_at, evidence.received_at, evidence.refund_evidence_at)",
            "evidence.time_zone"
        ) }} as first_evidence_date,
        case
            when evidence.requested_at is not null then 'requested'
            when evidence.received_at is not null then 'received'
            else 'refunded'
        end as return_date_basis,
        {{ normalised_reason_code("evidence.reason_raw") }} as reason_code
    from evidence
    left join order_lines on evidence.order_line_key = order_lines.order_line_key
),

mapped_codes as (
    select
        dated.return_line_key,
        reasons.reason_l2
    from dated
    inner join reasons
        on
            dated.connector = reasons.connector
            and dated.reason_code = reasons.raw_code
            and dated.first_evidence_date >= reasons.valid_from
    qualify row_number() over (
        partition by dated.return_line_key order by reasons.valid_from desc
    ) = 1
),

coded as (
    select
        dated.*,
        case
            when dated.reason_raw is null or trim(dated.reason_raw) = '' then 'unknown.no_reason'
            else coalesce(mapped_codes.reason_l2, canonical.reason_l2, 'unknown.unmapped')
        end as reason_claimed
    from dated
    left join mapped_codes on dated.return_line_key = mapped_codes.return_line_key
    left join canonical
        on lower(trim(dated.reason_raw)) = canonical.reason_l2 and canonical.reason_l2 like '%.%'
),

-- reasons in the buyer's own words that are sure enough; a service topic is no reason of a return
text_reasons as (
    select
        text_hash,
        text_reason,
        reason_l2,
        confidence_of_return
    from {{ source('load', 'text_reason') }}
    where confidence_of_return >= 0.5 and reason_l2 <> 'unknown.other'
),

read_reasons as (
    select
        coded.return_line_key,
        coded.reason_claimed,
        text_reasons.confidence_of_return,
        case
            when
                text_reasons.text_reason = 'late_or_not_received'
                and coded.received_at is null
                and coded.delivered_at is null
                then 'logistics.not_received_lost'
            else text_reasons.reason_l2
        end as reason_l2
    from coded
    inner join text_reasons on coded.text_hash = text_reasons.text_hash
),

-- "does not fit" says no more than a code that knows how: the text agrees with it
said as (
    select
        *,
        case
            when {{ text_is_coarser("reason_claimed", "reason_l2") }} then reason_claimed
            else reason_l2
        end as reason_text_label
    from read_reasons
),

-- of several the one that says what a close code says, else the surest that may refine the code,
-- else the surest
texts_read as (
    select *
    from said
    qualify row_number() over (
        partition by return_line_key
        order by
            case
                when
                    reason_text_label = reason_claimed
                    and not {{ is_general_reason("reason_claimed") }}
                    then 0
                when {{ text_refines_code("reason_claimed", "reason_text_label",
                    "confidence_of_return") }}
                    then 1
                else 2
            end asc,
            confidence_of_return desc,
            reason_text_label asc
    ) = 1
),

inspected as (
    select *
    from inspections
    qualify row_number() over (
        partition by return_line_key
        order by quantity desc, inspected_at desc, inspection_id asc
    ) = 1
),

inspection_sums as (
    select
        return_line_key,
        {{ money("sum(recovered_reporting)") }} as recovered_reporting,
        min(inspected_at) as first_inspected_at
    from inspections
    group by return_line_key
),

found_reasons as (
    select *
    from inspections
    where reason_inspected <> 'none'
    qualify row_number() over (
        partition by return_line_key
        order by quantity desc, inspected_at desc, inspection_id asc
    ) = 1
),

judged as (
    select
        coded.*,
        coalesce(texts_read.reason_text_label, 'none') as reason_text_label,
        coalesce(texts_read.confidence_of_return, 0) as text_confidence,
        coalesce(found_reasons.reason_inspected, 'none') as reason_inspected,
        inspected.inspection_id is not null as is_inspected,
        inspected.grade as inspection_grade,
        coalesce(inspected.next_step, 'none') as next_step,
        coalesce(inspected.disposition, coded.disposition) as final_disposition,
        inspection_sums.recovered_reporting,
        coalesce(coded.graded_at, inspection_sums.first_inspected_at) as first_graded_at,
        coded.reason_claimed like 'logistics.undeliverable%' as is_undeliverable
    from coded
    left join inspected on coded.return_line_key = inspected.return_line_key
    left join inspection_sums on coded.return_line_key = inspection_sums.return_line_key
    left join found_reasons on coded.return_line_key = found_reasons.return_line_key
    left join texts_read on coded.return_line_key = texts_read.return_line_key
),

-- a unit cannot come back that was not sent: the units of a line, earliest evidence first
counted as (
    select
        *,
        sum(case when is_closed_without_goods then 0 else quantity end) over (
            partition by order_line_key
            order by first_evidence_date, return_line_key
            rows between unbounded preceding and current row
        ) as units_so_far
    from judged
),

capped as (
    select
        *,
        case
            when order_line_key = 'unknown' or is_closed_without_goods then quantity
            else greatest(least(quantity, quantity - (units_so_far - quantity_shipped)), 0)
        end as counted_quantity
    from counted
),

final as (
    select
        capped.return_line_key,
        capped.order_line_key,
        capped.order_key,
        capped.return_id,
        capped.connector,
        capped.account,
        capped.marketplace,
        capped.country,
        capped.region,
        capped.sku,
        coalesce(capped.product_id, 'unknown') as product_id,
        coalesce(capped.category, 'unknown') as category,
        coalesce(capped.customer_key, 'unknown') as customer_key,
        cast(capped.counted_quantity as bigint) as quantity,
        cast(capped.quantity as bigint) as told_quantity,
        case when coalesce(capped.replaces_order_key, 'none') <> 'none' then 2 else 1 end
            as return_seq,
        capped.native_status,
        capped.native_resolution,
        capped.requested_at,
        capped.received_at,
        capped.first_graded_at as graded_at,
        capped.refund_evidence_at,
        capped.first_evidence_date,
        capped.return_date_basis,
        cast(
            {{ days_between("capped.horizon_start_date", "capped.first_evidence_date") }} as bigint
        ) as days_after_delivery,
        coalesce(
            {{ days_between("capped.horizon_start_date", "capped.first_evidence_date") }}
            <= capped.horizon_days,
            false
        ) as is_in_time,
        coalesce(capped.cohort_month, {{ unknown_date() }}) as cohort_month,
        coalesce(capped.reason_raw, 'none') as reason_raw,
        capped.reason_claimed,
        capped.reason_text_label,
        capped.reason_inspected,
        {{ reason_final("capped.reason_claimed", "capped.reason_text_label",
            "capped.reason_inspected", "capped.text_confidence") }} as reason_final,
        {{ reason_source("capped.reason_claimed", "capped.reason_text_label",
            "capped.reason_inspected", "capped.text_confidence") }} as reason_source,
        {{ reason_conflict("capped.reason_claimed", "capped.reason_text_label",
            "capped.text_confidence") }} as reason_conflict,
        capped.text_hash,
        capped.final_disposition as disposition,
        capped.is_inspected,
        capped.inspection_grade,
        capped.next_step,
        capped.recovered_reporting,
        capped.is_closed_without_goods,
        capped.is_undeliverable
    from capped
)

select * from final
