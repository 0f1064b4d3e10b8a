-- One row per marketplace that a connector knows: the group of countries its stock serves.
with

marketplaces as (
    {{ union_conformed('marketplaces') }}
),

final as (
    select
        marketplace,
        min(connector) as connector,
        min(coalesce(region_group, home_country, 'all')) as region_group
    from marketplaces
    group by marketplace
)

select * from final
