with

return_lines as (
    select * from {{ ref('int_return_line__resolved') }}
),

refunds as (
    select * from {{ ref('int_refund_line__linked') }}
),

setting as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

first_refunds as (
    select
        return_line_key,
        min(refunded_at) as refunded_at
    from refunds
    where return_line_key <> 'none'
    group by return_line_key
),

final as (
    select
        return_lines.return_line_key,
        return_lines.order_line_key,
        return_lines.order_key,
        return_lines.return_id,
        return_lines.connector,
        return_lines.account,
        return_lines.marketplace,
        return_lines.country,
        return_lines.region,
        return_lines.sku,
        return_lines.product_id,
        return_lines.category,
        return_lines.customer_key,
        return_lines.quantity,
        cast(return_lines.return_seq as bigint) as return_seq,
        return_lines.resolution,
        case
            when
                return_lines.is_closed_without_goods
                and return_lines.native_status in ('denied', 'cancelled')
                then return_lines.native_status
            when return_lines.is_closed_without_goods then 'closed'
            when return_lines.units_denied > 0 then 'denied'
            when return_lines.resolution = 'refund' then 'refunded'
            when return_lines.resolution in ('exchange', 'replacement') then 'exchanged'
            when return_lines.graded_at is not null then 'graded'
            when return_lines.received_at is not null then 'received'
            when return_lines.native_status in ('authorised', 'in_transit')
                then return_lines.native_status
            else 'requested'
        end as status,
        return_lines.requested_at,
        return_lines.received_at,
        return_lines.graded_at,
        coalesce(first_refunds.refunded_at, return_lines.refund_evidence_at) as refunded_at,
        return_lines.first_evidence_date,
        return_lines.return_date_basis,
        return_lines.days_after_delivery,
        return_lines.is_within_horizon,
        return_lines.cohort_month,
        return_lines.reason_raw,
        return_lines.reason_claimed,
        return_lines.reason_text_label,
        return_lines.reason_inspected,
        return_lines.reason_final,
        return_lines.reason_source,
        return_lines.reason_conflict,
        return_lines.text_hash,
        return_lines.disposition,
        return_lines.inspection_grade,
        return_lines.next_step,
        return_lines.recovered_reporting,
        setting.reporting_currency,
        return_lines.has_override
    from return_lines
    cross join setting
    left join first_refunds on return_lines.return_line_key = first_refunds.return_line_key
)

select * from final
