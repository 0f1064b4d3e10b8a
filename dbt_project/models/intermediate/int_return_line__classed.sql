-- One row per returned line with the questions that the return marts ask of it.
with

return_lines as (
    select * from {{ ref('int_return_line__resolved') }}
),

reasons as (
    select
        reason_l2,
        reason_class
    from {{ ref('dim_reason') }}
),

final as (
    select
        return_lines.return_line_key,
        return_lines.order_line_key,
        return_lines.sku,
        return_lines.quantity,
        return_lines.is_undeliverable,
        return_lines.requested_at,
        return_lines.received_at,
        return_lines.first_evidence_date,
        return_lines.days_after_delivery,
        return_lines.is_within_horizon,
        return_lines.reason_claimed,
        return_lines.reason_final,
        return_lines.reason_source,
        return_lines.reason_conflict,
        return_lines.disposition,
        return_lines.units_exchanged,
        return_lines.units_replaced,
        return_lines.units_back,
        not return_lines.is_undeliverable as is_buyer_return,
        -- units of a buyer's return that was not called off: once each, whatever their end
        case
            when return_lines.is_undeliverable or return_lines.is_closed_without_goods then 0
            else return_lines.quantity
        end as units_with_event,
        final_reason.reason_class = 'defect' as is_defect,
        claimed_reason.reason_class = 'defect' as is_claimed_defect,
        case
            when return_lines.is_inspected
                then
                    coalesce(inspected_reason.reason_class = 'defect', false)
                    or return_lines.inspection_grade in ('C', 'D')
            else return_lines.disposition = 'defective'
        end as is_confirmed,
        return_lines.is_received
        and (return_lines.is_inspected or return_lines.disposition <> 'unknown') as is_graded,
        return_lines.disposition = 'sellable' as is_resellable
    from return_lines
    inner join reasons as final_reason on return_lines.reason_final = final_reason.reason_l2
    inner join reasons as claimed_reason on return_lines.reason_claimed = claimed_reason.reason_l2
    left join reasons as inspected_reason
        on return_lines.reason_inspected = inspected_reason.reason_l2
)

select * from final
