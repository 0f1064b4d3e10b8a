with

countries as (
    select * from {{ ref('countries') }}
),

regions as (
    -- a country that the settings put into two regions gets the first by name
    select
        country,
        min(region) as region
    from {{ source('settings', 'region') }}
    group by country
),

listed as (
    select
        countries.country,
        countries.country_name_en,
        countries.country_name_zh,
        coalesce(regions.region, 'none') as region,
        countries.is_eu,
        countries.currency,
        countries.time_zone
    from countries
    left join regions on countries.country = regions.country
),

reserved as (
    select
        case member when 'unknown' then 'ZZ' else member end as country,
        case member when 'unknown' then 'Unknown' when 'none' then 'None' else 'All' end
            as country_name_en,
        case member when 'unknown' then '未知' when 'none' then '无' else '全部' end
            as country_name_zh,
        member as region,
        cast(null as boolean) as is_eu,
        member as currency,
        cast(null as varchar) as time_zone
    from {{ reserved_members() }}
),

final as (
    select * from listed
    union all
    select * from reserved
)

select * from final
