-- One row per marketplace: what its connector says of it, with the time zone that the settings give
-- instead. A channel of the seller's files that nobody describes keeps its dates in UTC.
with

described as (
    {{ union_conformed('marketplaces') }}
),

order_lines as (
    select * from {{ ref('int_order_line__unioned') }}
),

channels as (
    select * from {{ ref('int_channel__named') }}
),

overrides as (
    select * from {{ source('settings', 'account_marketplace') }}
),

seen as (
    select
        marketplace,
        min(connector) as connector,
        min(currency) as currency
    from order_lines
    where marketplace not in ('unknown', 'none', 'all')
    group by marketplace
),

named as (
    select
        marketplace,
        min(connector) as connector,
        -- two accounts that disagree: the first by name, so that a marketplace has one calendar
        min_by(time_zone, account) filter (where time_zone is not null) as time_zone
    from overrides
    group by marketplace
),

named_by_files as (
    select
        marketplace,
        min(connector) as connector
    from channels
    where marketplace is not null and marketplace not in ('unknown', 'none', 'all')
    group by marketplace
),

one_description as (
    select *
    from described
    qualify row_number() over (partition by marketplace order by connector) = 1
),

all_marketplaces as (
    select marketplace from one_description
    union
    select marketplace from seen
    union
    select marketplace from named
    union
    select marketplace from named_by_files
),

final as (
    select
        all_marketplaces.marketplace,
        coalesce(
            one_description.connector,
            seen.connector,
            named.connector,
            named_by_files.connector
        ) as connector,
        one_description.marketplace_id,
        coalesce(one_description.marketplace_name, all_marketplaces.marketplace)
            as marketplace_name,
        coalesce(one_description.marketplace_kind, 'file_channel') as marketplace_kind,
        coalesce(one_description.home_country, 'ZZ') as home_country,
        coalesce(one_description.currency, seen.currency, 'unknown') as currency,
        coalesce(named.time_zone, one_description.time_zone, 'UTC') as time_zone,
        one_description.sales_channel,
        one_description.region_group,
        one_description.prices_include_tax
    from all_marketplaces
    left join one_description on all_marketplaces.marketplace = one_description.marketplace
    left join seen on all_marketplaces.marketplace = seen.marketplace
    left join named on all_marketplaces.marketplace = named.marketplace
    left join named_by_files on all_marketplaces.marketplace = named_by_files.marketplace
)

select * from final
