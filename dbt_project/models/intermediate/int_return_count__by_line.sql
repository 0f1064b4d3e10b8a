-- One row per shipped line of a sale (no replacements, no exchanges) with every count of the return
-- marts. Each mart of returns is a sum of these rows.
with

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
    where quantity_shipped > 0 and shipped_date is not null
),

return_lines as (
    select * from {{ ref('int_return_line__classed') }}
),

outcomes as (
    select * from {{ ref('int_unit_outcome__counted') }}
),

refunds as (
    select
        order_line_key,
        cast(sum(units_refunded) as bigint) as units
    from {{ ref('int_refund_line__counted') }}
    group by order_line_key
),

exchanges as (
    select * from {{ ref('int_exchange__linked') }}
),

data_until as (
    select * from {{ ref('int_data_until') }}
),

returned as (
    select
        order_line_key,
        sum(case when requested_at is not null and is_buyer_return then quantity else 0 end)
            as requested,
        sum(case when received_at is not null and is_buyer_return then quantity else 0 end)
            as received,
        sum(case when is_within_horizon then units_back else 0 end) as returned,
        sum(case when is_within_horizon then 0 else units_back end) as returned_later,
        sum(units_with_event) as with_event,
        sum(units_exchanged + units_replaced) as sent_again,
        sum(case when is_defect then units_with_event else 0 end) as defective,
        sum(case when is_defect and is_confirmed then units_with_event else 0 end) as confirmed,
        sum(case when is_graded then units_with_event else 0 end) as graded,
        sum(case when is_graded and is_resellable then units_with_event else 0 end) as resellable,
        sum(case when is_graded and is_claimed_defect then units_with_event else 0 end)
            as claimed_graded,
        sum(
            case
                when is_graded and is_claimed_defect and is_resellable then units_with_event
                else 0
            end
        ) as no_fault,
        sum(case when reason_final = 'fit.too_small' then units_with_event else 0 end) as too_small,
        sum(case when reason_final = 'fit.too_large' then units_with_event else 0 end) as too_large,
        sum(case when reason_final = 'fit.fit_unspecified' then units_with_event else 0 end)
            as fit_unspecified
    from return_lines
    where order_line_key <> 'unknown'
    group by order_line_key
),

-- a return of a line that was sent instead of an earlier one is the earlier unit's second
repeated as (
    select
        exchanges.order_line_key,
        sum(return_lines.units_with_event) as units
    from return_lines
    inner join exchanges on return_lines.order_line_key = exchanges.new_order_line_key
    group by exchanges.order_line_key
),

final as (
    select
        order_lines.order_line_key,
        order_lines.order_key,
        order_lines.account,
        order_lines.marketplace,
        order_lines.country,
        order_lines.region,
        order_lines.sku,
        order_lines.cohort_month,
        order_lines.shipped_date,
        order_lines.horizon_start_date,
        order_lines.horizon_days,
        order_lines.reporting_currency,
        order_lines.quantity_shipped as units_shipped,
        case when order_lines.gives_requests then coalesce(returned.requested, 0) end
            as units_return_requested,
        case when order_lines.gives_receipts then coalesce(returned.received, 0) end
            as units_return_received,
        coalesce(returned.returned, 0) as units_returned,
        coalesce(returned.returned_later, 0) as units_returned_after_horizon,
        least(coalesce(refunds.units, 0), order_lines.quantity_shipped) as units_refunded,
        outcomes.refunded_no_return as units_refunded_no_return,
        outcomes.exchanged as units_exchanged,
        outcomes.replaced as units_replaced,
        coalesce(returned.defective, 0) as units_defective,
        coalesce(returned.confirmed, 0) as units_defective_confirmed,
        coalesce(returned.graded, 0) as units_graded,
        coalesce(returned.resellable, 0) as units_resellable,
        coalesce(returned.claimed_graded, 0) as units_claimed_defective_graded,
        coalesce(returned.no_fault, 0) as units_no_fault_found,
        coalesce(returned.too_small, 0) as too_small,
        coalesce(returned.too_large, 0) as too_large,
        coalesce(returned.fit_unspecified, 0) as fit_unspecified,
        least(
            greatest(
                coalesce(returned.with_event, 0)
                + greatest(
                    outcomes.exchanged + outcomes.replaced - coalesce(returned.sent_again, 0), 0
                ),
                coalesce(repeated.units, 0)
            ),
            order_lines.quantity_shipped
        ) as units_with_return_event,
        least(coalesce(repeated.units, 0), order_lines.quantity_shipped) as units_repeat_return,
        case when order_lines.gives_requests then order_lines.quantity_shipped else 0 end
            as units_request_known,
        case when order_lines.gives_receipts then order_lines.quantity_shipped else 0 end
            as units_receipt_known,
        case
            when order_lines.delivery_date_basis = 'actual' then 0
            else order_lines.quantity_shipped
        end as units_delivery_estimated,
        {{ money("cast(order_lines.net_reporting as double) * order_lines.quantity_shipped
            / order_lines.quantity_ordered") }} as net_sales,
        {{ money("cast(order_lines.net_reporting as double) * coalesce(returned.returned, 0)
            / order_lines.quantity_ordered") }} as returned_net_sales,
        outcomes.never_arrived >= order_lines.quantity_shipped as is_undelivered,
        (
            outcomes.never_arrived >= order_lines.quantity_shipped
            or {{ add_days("order_lines.horizon_start_date", "order_lines.horizon_days") }}
            <= data_until.data_until_date
        ) as is_mature
    from order_lines
    cross join data_until
    inner join outcomes on order_lines.order_line_key = outcomes.order_line_key
    left join returned on order_lines.order_line_key = returned.order_line_key
    left join refunds on order_lines.order_line_key = refunds.order_line_key
    left join repeated on order_lines.order_line_key = repeated.order_line_key
    where not order_lines.is_replacement and not order_lines.is_exchange
)

select * from final
