-- One row per state of an order line, with the units in it and the parcel that took them.
with

order_lines as (
    select * from {{ ref('base_walmart__order_lines') }}
),

states as (
    select
        account,
        order_id,
        line_id,
        status_at,
        {{ elements("statuses") }} as state
    from order_lines
),

line_states as (
    select
        states.account,
        states.order_id,
        states.line_id,
        lower(trim(state.status)) as status,
        coalesce(
            cast(try_cast(state.statusQuantity.amount as decimal(18, 4)) as bigint), 0
        ) as quantity,
        nullif(trim(state.cancellationReason), '') as cancel_reason,
        coalesce({{ epoch_ms_timestamp("state.trackingInfo.shipDateTime") }}, states.status_at)
            as shipped_at,
        coalesce(
            nullif(trim(state.trackingInfo.carrierName.carrier), ''),
            nullif(trim(state.trackingInfo.carrierName.otherCarrier), '')
        ) as carrier,
        nullif(trim(state.trackingInfo.methodCode), '') as method,
        nullif(trim(state.trackingInfo.trackingNumber), '') as tracking_number
    from states
)

select * from line_states
