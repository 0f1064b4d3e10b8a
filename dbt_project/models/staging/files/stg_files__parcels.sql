-- One row per scan of a file that tells more of its parcel: the day promised, the order.
with

source as (
    select * from {{ source('raw_files', 'tracking_events') }}
),

parcels as (
    select
        'files' as connector,
        _account as account,
        'file' as tracking_source,
        carrier as carrier_raw,
        tracking_number,
        order_ref,
        cast(null as varchar) as direction,
        cast(null as varchar) as service_raw,
        cast(null as varchar) as origin,
        cast(null as varchar) as destination,
        promised_date,
        cast(null as date) as first_estimate_date,
        event_at as seen_at,
        cast(null as varchar) as native_status,
        cast(null as varchar) as native_substatus
    from source
    where promised_date is not null or order_ref is not null
)

select * from parcels
