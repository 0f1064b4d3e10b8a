with

events as (
    select * from {{ ref('int_parcel_event__classed') }}
),

parcels as (
    select * from {{ ref('int_parcel__measured') }}
),

final as (
    select
        events.parcel_key,
        events.event_id,
        parcels.account,
        parcels.marketplace,
        events.event_at,
        events.event_date,
        events.milestone,
        events.exception_code,
        events.leg,
        events.event_country,
        events.native_status,
        events.tracking_source,
        events.is_superseded
    from events
    inner join parcels on events.parcel_key = parcels.parcel_key
)

select * from final
