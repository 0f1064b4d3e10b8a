with

marketplaces as (
    select * from {{ ref('int_marketplace__resolved') }}
),

reserved as (
    select
        member as marketplace,
        member as connector,
        member as marketplace_name,
        member as marketplace_kind,
        'ZZ' as home_country,
        member as currency,
        'UTC' as time_zone
    from {{ reserved_members() }}
),

final as (
    select
        marketplace,
        connector,
        marketplace_name,
        marketplace_kind,
        home_country,
        currency,
        time_zone
    from marketplaces

    union all

    select * from reserved
)

select * from final
