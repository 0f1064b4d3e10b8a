-- One row per event of an order's life, as all facts tell it: what concerns all lines of an order
-- alike is one event of the order. Sources that tell no time of an event make none; when a row was
-- first loaded is not kept with the facts, so recorded_at is not known.
with

parcel_events as (
    select
        parcels.order_key,
        parcels.account,
        parcels.marketplace,
        case
            when events.milestone_told like 'CUSTOMS%' then 'customs'
            else lower(events.milestone_told)
        end as event_kind,
        events.event_id,
        events.event_at,
        events.native_status,
        events.connector
    from {{ ref('int_parcel_event__classed') }} as events
    inner join {{ ref('fct_parcel') }} as parcels on events.parcel_key = parcels.parcel_key
    -- a scan that tells no milestone of its own is not the one before it again
    where
        events.is_heard
        and events.milestone_told in (
            'ACCEPTED', 'CUSTOMS_STARTED', 'CUSTOMS_CLEARED', 'OUT_FOR_DELIVERY'
        )
),

order_lines as (
    select * from {{ ref('fct_order_line') }}
),

orders as (
    select
        order_key,
        account,
        marketplace,
        min(connector) as connector,
        min(ordered_at) as ordered_at,
        min(paid_at) as paid_at,
        min(ship_by_at) as ship_by_at,
        min(promised_at) as promised_at
    from order_lines
    group by order_key, account, marketplace
),

cases as (
    select * from {{ ref('fct_case') }}
),

-- goods that came back are to be paid for in the days that the policy of the day of the sale
-- promises, of several the one that says most of its scope
refunds_due as (
    select
        returns.order_key,
        returns.order_line_key,
        returns.return_line_key,
        returns.account,
        returns.marketplace,
        returns.connector,
        returns.received_at + policies.refund_promise_days * interval '1' day as due_at,
        cast(policies.refund_promise_days as varchar) as promise
    from {{ ref('fct_return_line') }} as returns
    inner join order_lines on returns.order_line_key = order_lines.order_line_key
    inner join {{ ref('dim_policy') }} as policies
        on
            order_lines.country = policies.country
            and order_lines.ordered_date >= policies.valid_from
            and (policies.valid_to is null or order_lines.ordered_date <= policies.valid_to)
            and policies.marketplace in ('all', order_lines.marketplace)
            and policies.category in ('all', order_lines.category)
            and policies.payment_method in ('all', order_lines.payment_method)
    where returns.received_at is not null and policies.refund_promise_days is not null
    qualify
        row_number() over (
            partition by returns.return_line_key
            order by
                case when policies.marketplace = 'all' then 0 else 1 end
                + case when policies.category = 'all' then 0 else 1 end
                + case when policies.payment_method = 'all' then 0 else 1 end desc,
                case when policies.marketplace = 'all' then 1 else 0 end,
                case when policies.category = 'all' then 1 else 0 end
        ) = 1
),

told as (
    {{ order_event("'ordered'", "ordered_at", "orders") }}
    union all
    {{ order_event("'paid'", "paid_at", "orders") }}
    union all
    {{ order_event("'ship_due'", "ship_by_at", "orders", promised="ship_by_at") }}
    union all
    {{ order_event("'promised'", "promised_at", "orders", promised="promised_at") }}
    union all
    {{ order_event("'shipped'", "shipped_at", "order_lines", line="order_line_key",
        promised="ship_by_at") }}
    union all
    {{ order_event("'delivered'", "delivered_at", "order_lines", line="order_line_key",
        promised="promised_at") }}
    union all
    {{ order_event("event_kind", "event_at", "parcel_events",
        origin="event_id", note="native_status") }}
    union all
    {{ order_event("'cancelled'", "cancelled_at", "order_lines", line="order_line_key",
        note="cancel_reason") }}
    union all
    {{ order_event("'return_requested'", "requested_at", ref('fct_return_line'),
        line="order_line_key", origin="return_line_key", note="reason_final") }}
    union all
    {{ order_event("'return_received'", "received_at", ref('fct_return_line'),
        line="order_line_key", origin="return_line_key", note="disposition") }}
    union all
    {{ order_event("'refund_due'", "due_at", "refunds_due", line="order_line_key",
        origin="return_line_key", note="promise", promised="due_at") }}
    union all
    {{ order_event("'graded'", "graded_at", ref('fct_return_line'),
        line="order_line_key", origin="return_line_key", note="disposition") }}
    union all
    {{ order_event("case when kind = 'chargeback' then 'chargeback' else 'refunded' end",
        "refunded_at", ref('fct_refund_line'), line="order_line_key", origin="refund_line_key",
        note="kind") }}
    union all
    {{ order_event("'exchange_step'", "requested_at", ref('fct_exchange'),
        line="order_line_key", origin="exchange_key || '|requested'", note="'requested'",
        connector=teller("order_key")) }}
    union all
    {{ order_event("'exchange_step'", "replacement_shipped_at", ref('fct_exchange'),
        line="order_line_key", origin="exchange_key || '|shipped'", note="'shipped'",
        connector=teller("order_key")) }}
    union all
    {{ order_event("'feedback'", "created_at", ref('fct_feedback'), line="order_line_key",
        origin="feedback_key", note="sentiment", connector=teller("feedback_key")) }}
    union all
    {{ order_event("'case_opened'", "opened_at", "cases", line="order_line_key",
        origin="case_key", note="topic_l2", connector=teller("case_key")) }}
    union all
    {{ order_event("'message'", "sent_at", ref('fct_message'), note="author_kind",
        origin="case_key || '|' || message_id", connector=teller("case_key")) }}
    union all
    {{ order_event("'claim'", "opened_at", ref('fct_claim'), origin="claim_id", note="party",
        connector="'files'") }}
    union all
    {{ order_event("'settlement'", "posted_at", "(
        select
            order_key,
            account,
            marketplace,
            connector,
            settlement_id,
            min(posted_at) as posted_at
        from " ~ ref('fct_settlement_line') ~ "
        group by order_key, account, marketplace, connector, settlement_id
    ) as settled", origin="settlement_id", note="settlement_id") }}
),

keyed as (
    select
        *,
        -- without the note, which changes with what is learnt of the event
        md5(concat_ws('|', order_key, order_line_key, event_kind, origin)) as event_key
    from told
    where occurred_at is not null and order_key not in ('unknown', 'none', 'all')
),

final as (
    select
        event_key,
        order_key,
        order_line_key,
        account,
        marketplace,
        row_number() over (
            partition by order_key order by occurred_at, event_kind, event_key
        ) as event_seq,
        event_kind,
        occurred_at,
        promised_at,
        cast(null as timestamp) as recorded_at,
        source,
        'none' as superseded_by,
        note
    from keyed
    qualify row_number() over (partition by event_key order by occurred_at) = 1
)

select * from final
