with

parcels as (
    select * from {{ ref('int_parcel__measured') }}
),

carriers as (
    select * from {{ ref('base_tracking__carriers') }}
),

used as (
    select
        carrier,
        service,
        bool_or(is_express) as is_express
    from parcels
    group by carrier, service
),

listed as (
    select
        {{ carrier_key("used.carrier", "used.service") }} as carrier_key,
        used.carrier,
        used.service,
        coalesce(carriers.carrier_name, used.carrier) as carrier_name,
        used.is_express
    from used
    left join carriers on used.carrier = carriers.word
    where not (used.carrier = 'unknown' and used.service = 'unknown')
),

reserved as (
    select
        member as carrier_key,
        member as carrier,
        member as service,
        member as carrier_name,
        cast(null as boolean) as is_express
    from {{ reserved_members() }}
),

final as (
    select * from listed
    union all
    select * from reserved
)

select * from final
