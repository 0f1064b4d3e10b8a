-- One row per ordered line with its units by outcome; together they are quantity_ordered. First
-- wins, in the order of the columns (facts/metrics.md 1.2).
with

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

return_lines as (
    select * from {{ ref('int_return_line__resolved') }}
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

returned as (
    select
        order_line_key,
        sum(case when is_undeliverable then 0 else units_refunded end) as refunded,
        sum(
            case when is_received and not is_undeliverable then units_refunded else 0 end
        ) as received_refunded,
        sum(case when is_undeliverable then 0 else units_denied end) as denied,
        sum(case when is_undeliverable then 0 else units_exchanged end) as exchanged,
        sum(case when is_undeliverable then 0 else units_replaced end) as replaced,
        sum(case when is_undeliverable then 0 else units_open end) as open_units,
        sum(case when is_undeliverable then quantity else 0 end) as undelivered
    from return_lines
    where order_line_key <> 'unknown'
    group by order_line_key
),

claims as (
    select
        order_lines.order_line_key,
        order_lines.quantity_shipped as shipped,
        coalesce(returned.received_refunded, 0) + coalesce(returned.denied, 0)
            as claim_returned_refunded,
        greatest(coalesce(refunds.units, 0), coalesce(returned.refunded, 0))
        - coalesce(returned.received_refunded, 0) as claim_refunded_no_return,
        greatest(coalesce(exchanges.exchanged, 0), coalesce(returned.exchanged, 0))
            as claim_exchanged,
        greatest(coalesce(exchanges.replaced, 0), coalesce(returned.replaced, 0))
            as claim_replaced,
        coalesce(returned.open_units, 0) as claim_in_progress,
        greatest(coalesce(returned.undelivered, 0), order_lines.quantity_undelivered)
            as claim_undelivered
    from order_lines
    left join returned on order_lines.order_line_key = returned.order_line_key
    left join refunds on order_lines.order_line_key = refunds.order_line_key
    left join exchanges on order_lines.order_line_key = exchanges.order_line_key
),

step_1 as (
    select
        *,
        least(claim_returned_refunded, shipped) as returned_refunded
    from claims
),

step_2 as (
    select
        *,
        least(greatest(claim_refunded_no_return, 0), shipped - returned_refunded)
            as refunded_no_return,
        shipped - returned_refunded as left_1
    from step_1
),

step_3 as (
    select
        *,
        least(claim_exchanged, left_1 - refunded_no_return) as exchanged,
        left_1 - refunded_no_return as left_2
    from step_2
),

step_4 as (
    select
        *,
        least(claim_replaced, left_2 - exchanged) as replaced,
        left_2 - exchanged as left_3
    from step_3
),

step_5 as (
    select
        *,
        least(claim_in_progress, left_3 - replaced) as return_in_progress,
        left_3 - replaced as left_4
    from step_4
),

-- a refund without goods back goes to the units that never arrived first
step_6 as (
    select
        *,
        least(greatest(claim_undelivered - refunded_no_return, 0), left_4 - return_in_progress)
            as undelivered,
        left_4 - return_in_progress as left_5
    from step_5
),

final as (
    select
        order_lines.order_line_key,
        order_lines.quantity_ordered,
        order_lines.quantity_cancelled as cancelled_pre_ship,
        order_lines.quantity_ordered - order_lines.quantity_cancelled - order_lines.quantity_shipped
            as unshipped_open,
        step_6.returned_refunded,
        step_6.refunded_no_return,
        step_6.exchanged,
        step_6.replaced,
        step_6.return_in_progress,
        step_6.undelivered,
        case
            when order_lines.horizon_start_date > {{ as_of_date() }}
                then step_6.left_5 - step_6.undelivered
            else 0
        end as in_transit,
        case
            when order_lines.horizon_start_date > {{ as_of_date() }} then 0
            else step_6.left_5 - step_6.undelivered
        end as kept,
        least(step_6.claim_undelivered, step_6.shipped) as never_arrived
    from order_lines
    inner join step_6 on order_lines.order_line_key = step_6.order_line_key
)

select * from final
