-- One row per number and carrier that a tracking service follows, with what it says of the parcel
-- as a whole. The first estimate counts, a later one drifts with the delay.
with

seventeentrack as (
    select * from {{ ref('base_tracking__seventeentrack_parcels') }}
),

registrations as (
    select * from {{ source('raw_tracking', 'seventeentrack_registrations') }}
),

aftership as (
    select * from {{ ref('base_tracking__aftership_trackings') }}
),

country_codes as (
    select * from {{ source('raw_tracking', 'country_codes') }}
),

first_estimates as (
    select
        seventeentrack.account,
        seventeentrack.tracking_number,
        seventeentrack.vendor_key,
        min_by(track_info.time_metrics.estimated_delivery_date."to", seventeentrack.told_at)
        filter (where track_info.time_metrics.estimated_delivery_date."to" is not null)
            as estimate_text
    from seventeentrack
    group by seventeentrack.account, seventeentrack.tracking_number, seventeentrack.vendor_key
),

from_seventeentrack as (
    select
        seventeentrack.account,
        'seventeentrack' as tracking_source,
        seventeentrack.carrier_raw,
        seventeentrack.tracking_number,
        seventeentrack.order_ref,
        cast(null as varchar) as direction,
        seventeentrack.track_info.misc_info.service_type as service_raw,
        seventeentrack.track_info.shipping_info.shipper_address.country as origin,
        seventeentrack.track_info.shipping_info.recipient_address.country as destination,
        cast(null as date) as promised_date,
        try_cast(substring(first_estimates.estimate_text, 1, 10) as date) as first_estimate_date,
        seventeentrack.sent_at as seen_at,
        seventeentrack.track_info.latest_status.status as native_status,
        seventeentrack.track_info.latest_status.sub_status as native_substatus
    from seventeentrack
    left join first_estimates
        on
            seventeentrack.account = first_estimates.account
            and seventeentrack.tracking_number = first_estimates.tracking_number
            and seventeentrack.vendor_key = first_estimates.vendor_key
    where seventeentrack.is_present
),

-- accepted, but nothing is known of it yet
only_registered as (
    select
        registrations._account as account,
        'seventeentrack' as tracking_source,
        registrations.carrierAsked as carrier_raw,
        registrations.number as tracking_number,
        registrations.orderRef as order_ref,
        cast(null as varchar) as direction,
        cast(null as varchar) as service_raw,
        cast(null as varchar) as origin,
        cast(null as varchar) as destination,
        cast(null as date) as promised_date,
        cast(null as date) as first_estimate_date,
        {{ iso_timestamp("registrations.sentOn") }} as seen_at,
        cast(null as varchar) as native_status,
        cast(null as varchar) as native_substatus
    from registrations
),

from_aftership as (
    select
        aftership.account,
        'aftership' as tracking_source,
        aftership.carrier_raw,
        aftership.tracking_number,
        aftership.order_ref,
        aftership.direction,
        aftership.service_raw,
        coalesce(origins.country, aftership.origin_alpha3) as origin,
        coalesce(destinations.country, aftership.destination_alpha3) as destination,
        try_cast(substring(aftership.promised_text, 1, 10) as date) as promised_date,
        try_cast(substring(aftership.estimate_text, 1, 10) as date) as first_estimate_date,
        {{ offset_timestamp("aftership.created_at") }} as seen_at,
        aftership.tag as native_status,
        aftership.subtag as native_substatus
    from aftership
    left join country_codes as origins on aftership.origin_alpha3 = origins.alpha3
    left join country_codes as destinations on aftership.destination_alpha3 = destinations.alpha3
    where aftership.is_present
),

told as (
    select * from from_seventeentrack
    union all
    select * from only_registered
    union all
    select * from from_aftership
),

parcels as (
    select
        'tracking' as connector,
        account,
        tracking_source,
        carrier_raw,
        tracking_number,
        order_ref,
        direction,
        service_raw,
        origin,
        destination,
        promised_date,
        first_estimate_date,
        seen_at,
        native_status,
        native_substatus
    from told
)

select * from parcels
