-- One row per order line with units that were refunded in full and whose goods never came back.
-- A delivery that was refused is not among them: its goods are back.
with

refunds as (
    select * from {{ ref('fct_refund_line') }}
    where units_refunded > 0 and kind in ('inr', 'returnless', 'guarantee_claim')
),

return_lines as (
    select
        return_line_key,
        received_at
    from {{ ref('fct_return_line') }}
),

outcomes as (
    select
        order_line_key,
        sum(quantity) as units
    from {{ ref('fct_unit_outcome') }}
    where outcome = 'refunded_no_return'
    group by order_line_key
),

without_goods as (
    select
        refunds.order_line_key,
        sum(refunds.units_refunded) as units,
        sum(refunds.net_reporting) as refunded_reporting,
        min(refunds.refunded_at) as first_refunded_at
    from refunds
    left join return_lines on refunds.return_line_key = return_lines.return_line_key
    where return_lines.received_at is null and not refunds.is_duplicate_of_chargeback
    group by refunds.order_line_key
),

final as (
    select
        without_goods.order_line_key,
        cast(least(without_goods.units, outcomes.units) as bigint) as units,
        {{ money("without_goods.refunded_reporting") }} as refunded_reporting,
        without_goods.first_refunded_at
    from without_goods
    inner join outcomes on without_goods.order_line_key = outcomes.order_line_key
)

select * from final
