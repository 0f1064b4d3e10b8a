-- One row per returned line with the ends of its units: refunded, exchanged, replaced or still
-- open. Units whose source tells their end keep it. The others of a line take, in order, the
-- refunds, the exchanges and the replacements that the line has left (facts/metrics.md 1.2).
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
        return_line_key,
        order_line_key,
        order_key,
        return_id,
        connector,
        account,
        marketplace,
        country,
        region,
        sku,
        product_id,
        category,
        customer_key,
        quantity,
        return_seq,
        native_status,
        case
            when told_end in ('closed', 'denied') then 'none'
            when units_refunded > 0 then 'refund'
            when units_exchanged > 0 then 'exchange'
            when units_replaced > 0 then 'replacement'
            else 'open'
        end as resolution,
        is_received,
        is_closed_without_goods,
        is_undeliverable,
        is_inspected,
        requested_at,
        received_at,
        graded_at,
        refund_evidence_at,
        first_evidence_date,
        return_date_basis,
        days_after_delivery,
        is_in_time and not is_undeliverable as is_within_horizon,
        cohort_month,
        reason_raw,
        reason_claimed,
        reason_text_label,
        reason_inspected,
        reason_final,
        reason_source,
        reason_conflict,
        text_hash,
        disposition,
        inspection_grade,
        next_step,
        recovered_reporting,
        cast(units_refunded as bigint) as units_refunded,
        cast(units_exchanged as bigint) as units_exchanged,
        cast(units_replaced as bigint) as units_replaced,
        cast(units_denied as bigint) as units_denied,
        cast(units_open as bigint) as units_open,
        -- in units_returned or returned after the horizon (facts/metrics.md 1.5)
        cast(
            case
                when is_undeliverable or told_end = 'closed' then 0
                when is_received then units_refunded + units_denied + units_open
                else units_open
            end as bigint
        ) as units_back
    from opened
)

select * from final
