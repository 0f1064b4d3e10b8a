-- One row per scan of a parcel in the seller's or carrier's files; its day is that of the country
-- where it was scanned (the models know its zone).
with

source as (
    select * from {{ source('raw_files', 'tracking_events') }}
),

parcel_events as (
    select
        'files' as connector,
        _account as account,
        'file' as tracking_source,
        carrier as carrier_raw,
        tracking_number,
        order_ref,
        event_at,
        cast(null as date) as event_date,
        status as native_status,
        substatus as native_substatus,
        description as native_text,
        upper(location_country) as country,
        'unknown' as leg,
        false as is_superseded
    from source
)

select * from parcel_events
