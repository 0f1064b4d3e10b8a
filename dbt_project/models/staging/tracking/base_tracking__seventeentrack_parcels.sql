-- One row per state of a number and carrier that 17TRACK has told; the present one, and those that
-- it replaced. The carrier is the one that it was asked for, where it corrected that.
with

states as (
    select
        _account,
        number,
        carrier,
        carrierName,
        track_info,
        _changed_at as told_at,
        true as is_present
    from {{ source('raw_tracking', 'seventeentrack_parcels') }}
    union all
    select
        _account,
        number,
        carrier,
        carrierName,
        track_info,
        _valid_from as told_at,
        false as is_present
    from {{ source('raw_tracking', 'seventeentrack_parcels__history') }}
),

asked as (
    select
        _account,
        number,
        carrier,
        min(carrierAsked) as carrier_asked,
        min(orderRef) as order_ref,
        min(sentOn) as sent_on
    from {{ source('raw_tracking', 'seventeentrack_registrations') }}
    group by _account, number, carrier
),

parcels as (
    select
        states._account as account,
        states.number as tracking_number,
        states.carrier as vendor_key,
        coalesce(nullif(asked.carrier_asked, 'unknown'), states.carrierName) as carrier_raw,
        asked.order_ref,
        {{ iso_timestamp("asked.sent_on") }} as sent_at,
        states.track_info,
        states.told_at,
        states.is_present
    from states
    left join asked
        on
            states._account = asked._account
            and states.number = asked.number
            and cast(states.carrier as varchar) = asked.carrier
)

select * from parcels
