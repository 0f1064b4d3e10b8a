-- One row per parcel and carrier by which a source may name it. A carrier may give a number again:
-- what lies more than 120 days after all that was known of it is another parcel, unless both are
-- said to be of one order, by whatever name of it. Where a source does not name the carrier of a
-- number that only one carrier has, it is that carrier's.
with

shipments as (
    select * from {{ ref('int_shipment__unioned') }}
),

events as (
    {{ union_conformed('parcel_events') }}
),

told as (
    {{ union_conformed('parcels') }}
),

carriers as (
    select * from {{ ref('base_tracking__carriers') }}
),

named_orders as (
    {{ orders_by_name() }}
),

evidence as (
    select
        carrier,
        tracking_number,
        shipped_at as seen_at,
        nullif(order_key, 'unknown') as order_key,
        true as is_shipment,
        1 as preference
    from shipments
    union all
    select
        coalesce(carriers.carrier, {{ carrier_word("events.carrier_raw") }}, 'unknown') as carrier,
        {{ tracking_number("events.tracking_number") }} as tracking_number,
        coalesce(events.event_at, cast(events.event_date as timestamp)) as seen_at,
        named_orders.order_key,
        false as is_shipment,
        1 as preference
    from events
    left join carriers on {{ carrier_word("events.carrier_raw") }} = carriers.word
    left join named_orders on events.order_ref = named_orders.order_ref
    union all
    select
        coalesce(carriers.carrier, {{ carrier_word("told.carrier_raw") }}, 'unknown') as carrier,
        {{ tracking_number("told.tracking_number") }} as tracking_number,
        told.seen_at,
        named_orders.order_key,
        false as is_shipment,
        -- when a service heard of a number counts only where nothing else is known of it
        case when told.tracking_source = 'file' then 1 else 2 end as preference
    from told
    left join carriers on {{ carrier_word("told.carrier_raw") }} = carriers.word
    left join named_orders on told.order_ref = named_orders.order_ref
),

only_carriers as (
    select
        tracking_number,
        min(carrier) as carrier
    from evidence
    where carrier <> 'unknown'
    group by tracking_number
    having count(distinct carrier) = 1
),

named as (
    select
        case
            when evidence.carrier = 'unknown' then coalesce(only_carriers.carrier, 'unknown')
            else evidence.carrier
        end as carrier,
        evidence.tracking_number,
        evidence.seen_at,
        evidence.order_key,
        evidence.is_shipment,
        evidence.preference
    from evidence
    left join only_carriers on evidence.tracking_number = only_carriers.tracking_number
    where evidence.tracking_number is not null and evidence.seen_at is not null
),

preferred as (
    select *
    from named
    qualify
        preference = min(preference) over (partition by carrier, tracking_number)
),

spaced as (
    select
        *,
        lag(seen_at) over (
            partition by carrier, tracking_number order by seen_at, order_key
        ) as seen_before,
        -- the last one that was named until then
        max_by(order_key, case when order_key is not null then seen_at end) over (
            partition by carrier, tracking_number
            order by seen_at, order_key
            rows between unbounded preceding and 1 preceding
        ) as order_before
    from preferred
),

judged as (
    select
        *,
        case
            when
                seen_at > seen_before + interval '120' day
                and not coalesce(order_key = order_before, false)
                then 1
            else 0
        end as begins_anew
    from spaced
),

numbered as (
    select
        *,
        sum(begins_anew) over (
            partition by carrier, tracking_number
            order by seen_at, order_key
            rows between unbounded preceding and current row
        ) as window_no
    from judged
),

windows as (
    select
        carrier,
        tracking_number,
        min(seen_at) as seen_from,
        max(seen_at) as seen_until,
        cast(coalesce(min(case when is_shipment then seen_at end), min(seen_at)) as date)
            as first_seen_date
    from numbered
    group by carrier, tracking_number, window_no
),

keyed as (
    select
        {{ colon_key(["carrier", "tracking_number", "cast(first_seen_date as varchar)"]) }}
            as parcel_key,
        *,
        seen_until = max(seen_until) over (partition by carrier, tracking_number) as is_latest
    from windows
),

final as (
    select
        parcel_key,
        carrier as named_carrier,
        carrier,
        tracking_number,
        first_seen_date,
        seen_from,
        seen_until,
        is_latest
    from keyed
    union all
    select
        keyed.parcel_key,
        'unknown' as named_carrier,
        keyed.carrier,
        keyed.tracking_number,
        keyed.first_seen_date,
        keyed.seen_from,
        keyed.seen_until,
        keyed.is_latest
    from keyed
    inner join only_carriers
        on
            keyed.tracking_number = only_carriers.tracking_number
            and keyed.carrier = only_carriers.carrier
)

select * from final
