-- One row per account of a marketplace whose stock serves one group of countries only.
with

account_marketplaces as (
    select * from {{ source('settings', 'account_marketplace') }}
),

groups as (
    select * from {{ ref('int_marketplace__grouped') }}
),

final as (
    select
        account_marketplaces.account,
        min(groups.region_group) as region_group
    from account_marketplaces
    inner join groups on account_marketplaces.marketplace = groups.marketplace
    group by account_marketplaces.account
    having count(distinct groups.region_group) = 1
)

select * from final
