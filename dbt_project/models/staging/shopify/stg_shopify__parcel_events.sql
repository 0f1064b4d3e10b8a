-- One row per event that Shopify heard of a shipment with one number; of a shipment with several
-- nobody tells whose event it is.
with

orders as (
    select * from {{ ref('base_shopify__orders') }}
),

fulfilments as (
    select
        account,
        order_id,
        {{ elements("fulfillments") }} as fulfilment
    from orders
),

numbers as (
    select
        fulfilments.account,
        fulfilments.order_id,
        {{ gid_number("fulfilment.id") }} as fulfilment_id,
        {{ elements("fulfilment.trackingInfo") }} as tracking
    from fulfilments
    where fulfilment.status = 'SUCCESS'
),

only_numbers as (
    select
        numbers.account,
        numbers.order_id,
        numbers.fulfilment_id,
        min(tracking.company) as carrier_raw,
        min(tracking.number) as tracking_number
    from numbers
    group by numbers.account, numbers.order_id, numbers.fulfilment_id
    having count(distinct tracking.number) = 1
),

events as (
    select
        fulfilments.account,
        {{ gid_number("fulfilment.id") }} as fulfilment_id,
        {{ elements("fulfilment.events") }} as event
    from fulfilments
),

parcel_events as (
    select
        'shopify' as connector,
        events.account,
        'marketplace' as tracking_source,
        only_numbers.carrier_raw,
        only_numbers.tracking_number,
        only_numbers.order_id as order_ref,
        {{ iso_timestamp("coalesce(events.event.happenedAt, events.event.createdAt)") }}
            as event_at,
        cast(null as date) as event_date,
        events.event.status as native_status,
        cast(null as varchar) as native_substatus,
        cast(null as varchar) as native_text,
        upper(events.event.country) as country,
        'unknown' as leg,
        false as is_superseded
    from events
    inner join only_numbers
        on
            events.account = only_numbers.account
            and events.fulfilment_id = only_numbers.fulfilment_id
)

select * from parcel_events
