-- One row per refund of a line with the return it pays for and what kind of refund it is. Without a
-- return's number, refunded units and returned units of a line meet in order.
with

refunds as (
    select * from {{ ref('int_refund_line__counted') }}
),

return_lines as (
    select * from {{ ref('int_return_line__resolved') }}
),

outcomes as (
    select * from {{ ref('int_unit_outcome__counted') }}
),

by_number as (
    select
        refunds.refund_line_key,
        return_lines.return_line_key,
        return_lines.is_received and not return_lines.is_undeliverable as is_back
    from refunds
    inner join return_lines
        on
            refunds.connector = return_lines.connector
            and refunds.account = return_lines.account
            and refunds.return_id = return_lines.return_id
            and refunds.order_line_key = return_lines.order_line_key
    qualify row_number() over (
        partition by refunds.refund_line_key
        order by return_lines.first_evidence_date, return_lines.return_line_key
    ) = 1
),

refunded_so_far as (
    select
        refund_line_key,
        order_line_key,
        units_refunded,
        sum(units_refunded) over (
            partition by order_line_key
            order by refunded_at, refund_line_key
            rows between unbounded preceding and current row
        ) as units_so_far
    from refunds
    where order_line_key <> 'unknown'
),

returned_so_far as (
    select
        return_line_key,
        order_line_key,
        is_received and not is_undeliverable as is_back,
        units_refunded,
        sum(units_refunded) over (
            partition by order_line_key
            order by
                is_undeliverable asc,
                is_received desc,
                first_evidence_date asc,
                return_line_key asc
            rows between unbounded preceding and current row
        ) as units_so_far
    from return_lines
    where units_refunded > 0 and order_line_key <> 'unknown'
),

by_order as (
    select
        refunded_so_far.refund_line_key,
        returned_so_far.return_line_key,
        returned_so_far.is_back
    from refunded_so_far
    inner join returned_so_far
        on
            refunded_so_far.order_line_key = returned_so_far.order_line_key
            and refunded_so_far.units_so_far - refunded_so_far.units_refunded
            < returned_so_far.units_so_far
            and refunded_so_far.units_so_far
            > returned_so_far.units_so_far - returned_so_far.units_refunded
    where refunded_so_far.units_refunded > 0
    qualify row_number() over (
        partition by refunded_so_far.refund_line_key
        order by returned_so_far.units_so_far, returned_so_far.return_line_key
    ) = 1
),

linked as (
    select
        refunds.*,
        coalesce(by_number.return_line_key, by_order.return_line_key, 'none') as return_line_key,
        coalesce(by_number.is_back, by_order.is_back, false) as is_back,
        coalesce(outcomes.never_arrived, 0) as never_arrived
    from refunds
    left join by_number on refunds.refund_line_key = by_number.refund_line_key
    left join by_order on refunds.refund_line_key = by_order.refund_line_key
    left join outcomes on refunds.order_line_key = outcomes.order_line_key
),

judged as (
    select
        *,
        -- who lost a parcel lets the buyer keep what is not there
        coalesce(
            units_refunded > 0
            and not is_back
            and coalesce(is_returnless, true)
            and not is_line_cancelled
            and coalesce(native_kind, 'inr') = 'inr',
            false
        ) as may_be_lost
    from linked
),

counted as (
    select
        *,
        coalesce(sum(case when may_be_lost then units_refunded else 0 end) over (
            partition by order_line_key
            order by refunded_at, refund_line_key
            rows between unbounded preceding and 1 preceding
        ), 0) as lost_before
    from judged
),

final as (
    select
        *,
        case
            when native_kind is not null then native_kind
            when is_line_cancelled then 'cancellation'
            when goods_amount = 0 and shipping_amount > 0 then 'shipping_only'
            when order_line_key = 'unknown' then 'unknown'
            -- of the units of a line, only as many as never arrived
            when may_be_lost and lost_before < never_arrived then 'inr'
            when is_returnless and units_refunded > 0 then 'returnless'
            when units_refunded > 0 and (is_back or not is_returnless) then 'full_return'
            when units_refunded > 0 then 'returnless'
            else 'partial_kept'
        end as kind
    from counted
)

select
    refund_line_key,
    order_line_key,
    order_key,
    return_line_key,
    refund_id,
    connector,
    account,
    marketplace,
    country,
    sku,
    refunded_at,
    refunded_date,
    kind,
    refund_method,
    coalesce(is_returnless and kind <> 'inr', kind = 'returnless') as is_returnless,
    units_refunded,
    currency,
    net_amount,
    tax_amount,
    shipping_amount,
    amount_source,
    is_duplicate_of_chargeback
from final
