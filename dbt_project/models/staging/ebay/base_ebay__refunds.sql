-- One row per refund and line that was paid. What the buyer got stands on the lines; where eBay
-- tells a refund of the order only, what the seller gave is spread over the lines instead. The two
-- figures are never added.
with

orders as (
    select * from {{ ref('base_ebay__orders') }}
),

lines as (
    select * from {{ ref('base_ebay__lines') }}
),

whole_parts as (
    select
        account,
        order_id,
        {{ elements("order_refunds") }} as refund
    from orders
),

wholes as (
    select
        whole_parts.account,
        whole_parts.order_id,
        coalesce(
            nullif(refund.refundId, ''),
            'ref-' || nullif(refund.refundReferenceId, ''),
            'at-' || refund.refundDate
        ) as refund_id,
        nullif(refund.refundReferenceId, '') as reference_id,
        refund.refundStatus as refund_status,
        {{ iso_timestamp("refund.refundDate") }} as refunded_at,
        {{ ebay_money("refund.amount") }} as amount,
        refund.amount.currency as refund_currency
    from whole_parts
),

line_parts as (
    select
        account,
        order_id,
        line_id,
        {{ elements("line_refunds") }} as refund
    from lines
),

told as (
    select
        line_parts.account,
        line_parts.order_id,
        line_parts.line_id,
        coalesce(
            nullif(refund.refundId, ''),
            'ref-' || nullif(refund.refundReferenceId, ''),
            'at-' || refund.refundDate
        ) as refund_id,
        nullif(refund.refundReferenceId, '') as reference_id,
        {{ iso_timestamp("refund.refundDate") }} as refunded_at,
        {{ ebay_money("refund.amount") }} as amount,
        refund.amount.currency as refund_currency
    from line_parts
),

told_once as (
    select *
    from told
    where refund_id is not null and amount is not null
    qualify
        row_number() over (partition by account, line_id, refund_id order by refunded_at) = 1
),

of_lines as (
    select
        told_once.account,
        told_once.order_id,
        told_once.line_id,
        told_once.refund_id,
        coalesce(told_once.reference_id, wholes.reference_id) as reference_id,
        coalesce(wholes.refund_status, 'REFUNDED') as refund_status,
        coalesce(told_once.refunded_at, wholes.refunded_at) as refunded_at,
        told_once.amount,
        told_once.refund_currency,
        'marketplace' as amount_source
    from told_once
    left join wholes
        on
            told_once.account = wholes.account
            and told_once.order_id = wholes.order_id
            and told_once.refund_id = wholes.refund_id
),

untold as (
    select
        wholes.*,
        lines.line_id,
        lines.net_amount
    from wholes
    inner join lines on wholes.account = lines.account and wholes.order_id = lines.order_id
    where
        wholes.refund_id is not null
        and not exists (
            select 1
            from told_once
            where
                told_once.account = wholes.account
                and told_once.order_id = wholes.order_id
                and told_once.refund_id = wholes.refund_id
        )
),

spread_refunds as (
    {{ spread("untold", ["account", "order_id", "refund_id"], "amount", "net_amount",
        ["length(line_id)", "line_id"]) }}
),

refunds as (
    select * from of_lines
    union all
    select
        account,
        order_id,
        line_id,
        refund_id,
        reference_id,
        refund_status,
        refunded_at,
        share as amount,
        refund_currency,
        'unknown' as amount_source
    from spread_refunds
    where share <> 0
)

select * from refunds
where coalesce(refund_status, 'REFUNDED') = 'REFUNDED' and refunded_at is not null
