-- One row per event that a tracking service tells or has told of a number. An event that is no
-- longer told is superseded: the carrier has rewritten its history.
with

seventeentrack as (
    select * from {{ ref('base_tracking__seventeentrack_parcels') }}
),

aftership as (
    select * from {{ ref('base_tracking__aftership_trackings') }}
),

country_codes as (
    select * from {{ source('raw_tracking', 'country_codes') }}
),

providers as (
    select
        seventeentrack.account,
        seventeentrack.carrier_raw,
        seventeentrack.tracking_number,
        seventeentrack.order_ref,
        seventeentrack.is_present,
        {{ elements("track_info.tracking.providers") }} as provider
    from seventeentrack
),

scans as (
    select
        providers.account,
        providers.carrier_raw,
        providers.tracking_number,
        providers.order_ref,
        providers.is_present,
        provider.leg,
        {{ elements("provider.events") }} as event
    from providers
),

from_seventeentrack as (
    select
        scans.account,
        'seventeentrack' as tracking_source,
        scans.carrier_raw,
        scans.tracking_number,
        scans.order_ref,
        -- the service derives UTC from the offset; without one it is a guess
        case
            when {{ has_offset("event.time_iso") }}
                then
                    coalesce(
                        {{ offset_timestamp("event.time_utc") }},
                        {{ offset_timestamp("event.time_iso") }}
                    )
        end as event_at,
        {{ local_day("coalesce(event.time_iso, event.time_raw.date)") }} as event_date,
        case event.stage
            when 'PickedUp' then 'InTransit_PickedUp'
            when 'Departure' then 'InTransit_Departure'
            when 'Arrival' then 'InTransit_Arrival'
            when 'Returning' then 'Exception_Returning'
            when 'Returned' then 'Exception_Returned'
            when 'InfoReceived' then 'InfoReceived'
            else event.stage || '_Other'
        end as staged_substatus,
        event.sub_status,
        event.description as native_text,
        event.address.country,
        scans.leg,
        scans.is_present
    from scans
),

points as (
    select
        account,
        carrier_raw,
        tracking_number,
        order_ref,
        is_present,
        first_slug,
        last_slug,
        {{ elements("checkpoints") }} as point
    from aftership
),

from_aftership as (
    select
        points.account,
        'aftership' as tracking_source,
        points.carrier_raw,
        points.tracking_number,
        points.order_ref,
        case
            when {{ has_offset("points.point.checkpoint_time") }}
                then {{ offset_timestamp("points.point.checkpoint_time") }}
        end as event_at,
        {{ local_day("points.point.checkpoint_time") }} as event_date,
        points.point.tag as native_status,
        points.point.subtag as native_substatus,
        points.point.message as native_text,
        coalesce(country_codes.country, points.point.country_region) as country,
        case
            when points.first_slug = points.last_slug then 'unknown'
            when points.point.slug = points.first_slug then 'first'
            when points.point.slug = points.last_slug then 'last'
            else 'unknown'
        end as leg,
        points.is_present
    from points
    left join country_codes on points.point.country_region = country_codes.alpha3
),

told as (
    select
        account,
        tracking_source,
        carrier_raw,
        tracking_number,
        order_ref,
        event_at,
        event_date,
        regexp_extract(coalesce(sub_status, staged_substatus), '^[^_]+') as native_status,
        coalesce(sub_status, staged_substatus) as native_substatus,
        native_text,
        country,
        leg,
        is_present
    from from_seventeentrack
    union all
    select * from from_aftership
),

parcel_events as (
    select
        'tracking' as connector,
        account,
        tracking_source,
        carrier_raw,
        tracking_number,
        order_ref,
        event_at,
        event_date,
        native_status,
        native_substatus,
        native_text,
        country,
        leg,
        not bool_or(is_present) as is_superseded
    from told
    where event_date is not null
    group by
        account, tracking_source, carrier_raw, tracking_number, order_ref, event_at, event_date,
        native_status, native_substatus, native_text, country, leg
)

select * from parcel_events
