-- One row per state of a tracking that AfterShip has told; the present one, and those that it
-- replaced.
with

states as (
    select
        _account as account,
        *,
        true as is_present
    from {{ source('raw_tracking', 'aftership_trackings') }}
    union all
    select
        _account as account,
        * exclude (_valid_from, _valid_to, _ended_by),
        false as is_present
    from {{ source('raw_tracking', 'aftership_trackings__history') }}
),

trackings as (
    select
        states.account,
        states.id as tracking_id,
        states.tracking_number,
        states.carrierName as carrier_raw,
        coalesce(states.order_id, states.order_number) as order_ref,
        case states.shipment_direction when 'return' then 'return' end as direction,
        states.shipping_method as service_raw,
        states.origin_country_region as origin_alpha3,
        states.destination_country_region as destination_alpha3,
        coalesce(
            states.order_promised_delivery_date.promised_delivery_date_max,
            states.order_promised_delivery_date.promised_delivery_date
        ) as promised_text,
        coalesce(
            states.first_estimated_delivery.datetime_max, states.first_estimated_delivery.datetime
        )
            as estimate_text,
        states.tag,
        states.subtag,
        states.created_at,
        states.first_mile.slug as first_slug,
        states.last_mile.slug as last_slug,
        states.checkpoints,
        states.is_present
    from states
)

select * from trackings
