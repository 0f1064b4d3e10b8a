-- One row per returned line with the ends of its units: refunded, exchanged, replaced or still
-- open. Units whose source tells their end keep it. The others of a line take, in order, the
-- refunds, the exchanges and the replacements that the line has left (facts/metrics.md 1.2). What a
-- person corrected stands as corrected.
with

return_lines as (
    select * from {{ ref('int_return_line__evidenced') }}
    where quantity > 0
),

refunds as (
    select
        order_line_key,
        cast(sum(units_refunded) as bigint) as units
    from {{ ref('int_refund_line__counted') }}
    where order_line_key <> 'unknown'
    group by order_line_key
),

exchanges as (
    select
        order_line_key,
        cast(sum(case when exchange_kind = 'exchange' then quantity else 0 end) as bigint)
            as exchanged,
        cast(sum(case when exchange_kind = 'replacement' then quantity else 0 end) as bigint)
            as replaced
    from {{ ref('int_exchange__linked') }}
    group by order_line_key
),

overrides as (
    select
        entity_key as return_line_key,
        max(case when field = 'reason_final' then new_value end) as reason_final,
        max(case when field = 'disposition' then new_value end) as disposition
    from {{ ref('int_override__current') }}
    where entity_type = 'return_line'
    group by entity_key
),

judged as (
    select
        *,
        received_at is not null or refund_evidence_at is not null as is_received,
        case
            when is_closed_without_goods then 'closed'
            when native_resolution in ('refund', 'exchange', 'replacement') then native_resolution
            when
                received_at is not null
                and (native_resolution = 'none' or native_status = 'denied') then 'denied'
            when order_line_key = 'unknown'
                then case native_status
                    when 'refunded' then 'refund'
                    when 'exchanged' then 'exchange'
                    else 'told_open'
                end
            else 'not_told'
        end as told_end
    from return_lines
),

told as (
    select
        order_line_key,
        cast(sum(case when told_end = 'refund' then quantity else 0 end) as bigint) as refunded,
        cast(sum(case when told_end = 'exchange' then quantity else 0 end) as bigint) as exchanged,
        cast(sum(case when told_end = 'replacement' then quantity else 0 end) as bigint) as replaced
    from judged
    group by order_line_key
),

-- the units that are still to be ended, in the order in which they take what the line has left
queued as (
    select
        judged.*,
        coalesce(sum(case when judged.told_end = 'not_told' then judged.quantity else 0 end) over (
            partition by judged.order_line_key
            order by
                judged.is_undeliverable asc,
                judged.is_received desc,
                judged.first_evidence_date asc,
                judged.return_line_key asc
            rows between unbounded preceding and 1 preceding
        ), 0) as units_before,
        greatest(coalesce(refunds.units, 0) - told.refunded, 0) as refunds_left,
        greatest(coalesce(exchanges.exchanged, 0) - told.exchanged, 0) as exchanges_left,
        greatest(coalesce(exchanges.replaced, 0) - told.replaced, 0) as replacements_left
    from judged
    inner join told on judged.order_line_key = told.order_line_key
    left join refunds on judged.order_line_key = refunds.order_line_key
    left join exchanges on judged.order_line_key = exchanges.order_line_key
),

ended as (
    select
        *,
        case
            when told_end = 'refund' then quantity
            when told_end = 'not_told'
                then {{ overlap("units_before", "units_before + quantity", "0", "refunds_left") }}
            else 0
        end as units_refunded,
        case
            when told_end = 'exchange' then quantity
            when told_end = 'not_told'
                then {{ overlap("units_before", "units_before + quantity", "refunds_left",
                    "refunds_left + exchanges_left") }}
            else 0
        end as units_exchanged,
        case
            when told_end = 'replacement' then quantity
            when told_end = 'not_told'
                then {{ overlap("units_before", "units_before + quantity",
                    "refunds_left + exchanges_left",
                    "refunds_left + exchanges_left + replacements_left") }}
            else 0
        end as units_replaced,
        case when told_end = 'denied' then quantity else 0 end as units_denied
    from queued
),

opened as (
    select
        *,
        case
            when told_end = 'closed' then 0
            else quantity - units_refunded - units_exchanged - units_replaced - units_denied
        end as units_open
    from ended
),

final as (
    select
        opened.return_line_key,
        opened.order_line_key,
        opened.order_key,
        opened.return_id,
        opened.connector,
        opened.account,
        opened.marketplace,
        opened.country,
        opened.region,
        opened.sku,
        opened.product_id,
        opened.category,
        opened.customer_key,
        opened.quantity,
        opened.return_seq,
        opened.native_status,
        case
            when opened.told_end in ('closed', 'denied') then 'none'
            when opened.units_refunded > 0 then 'refund'
            when opened.units_exchanged > 0 then 'exchange'
            when opened.units_replaced > 0 then 'replacement'
            else 'open'
        end as resolution,
        opened.is_received,
        opened.is_closed_without_goods,
        opened.is_undeliverable,
        opened.is_inspected,
        opened.requested_at,
        opened.received_at,
        opened.graded_at,
        opened.refund_evidence_at,
        opened.first_evidence_date,
        opened.return_date_basis,
        opened.days_after_delivery,
        opened.is_in_time and not opened.is_undeliverable as is_within_horizon,
        opened.cohort_month,
        opened.reason_raw,
        opened.reason_claimed,
        opened.reason_text_label,
        opened.reason_inspected,
        coalesce(overrides.reason_final, opened.reason_final) as reason_final,
        opened.reason_source,
        opened.reason_conflict,
        opened.text_hash,
        coalesce(overrides.disposition, opened.disposition) as disposition,
        opened.inspection_grade,
        opened.next_step,
        opened.recovered_reporting,
        cast(opened.units_refunded as bigint) as units_refunded,
        cast(opened.units_exchanged as bigint) as units_exchanged,
        cast(opened.units_replaced as bigint) as units_replaced,
        cast(opened.units_denied as bigint) as units_denied,
        cast(opened.units_open as bigint) as units_open,
        -- in units_returned or returned after the horizon (facts/metrics.md 1.5)
        cast(
            case
                when opened.is_undeliverable or opened.told_end = 'closed' then 0
                when opened.is_received
                    then opened.units_refunded + opened.units_denied + opened.units_open
                else opened.units_open
            end as bigint
        ) as units_back,
        overrides.return_line_key is not null as has_override
    from opened
    left join overrides on opened.return_line_key = overrides.return_line_key
)

select * from final
