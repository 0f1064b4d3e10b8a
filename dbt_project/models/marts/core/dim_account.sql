with

accounts as (
    select * from {{ source('settings', 'account') }}
),

account_marketplaces as (
    select
        account,
        count(distinct marketplace) as marketplaces_count
    from {{ source('settings', 'account_marketplace') }}
    group by account
),

loaded as (
    select
        account,
        min(connector) as connector,
        min(as_of_at) as first_loaded_at
    from (
        select
            account,
            connector,
            as_of_at
        from {{ source('load', 'file') }}
        union all
        select
            account,
            connector,
            as_of_at
        from {{ source('load', 'outcome') }}
    ) as nights
    group by account
),

-- channels of the seller's own files are accounts that no settings name
channels as (
    select
        account,
        min(connector) as connector,
        count(distinct marketplace) as marketplaces_count,
        min(currency) as currency,
        min(cast(ordered_at as date)) as started_on
    from {{ ref('int_order_line__unioned') }}
    group by account
),

returned as (
    select
        account,
        min(connector) as connector
    from (
        select
            account,
            connector
        from {{ ref('int_return_line__linked') }}
        union all
        select
            account,
            connector
        from {{ ref('int_channel__named') }}
    ) as rows_without_orders
    group by account
),

named as (
    select account from accounts
    union
    select account from loaded
    union
    select account from channels
    union
    select account from returned
),

listed as (
    select
        named.account,
        coalesce(accounts.connector, channels.connector, returned.connector, loaded.connector)
            as connector,
        coalesce(accounts.account_kind, 'file_channel') as account_kind,
        coalesce(
            account_marketplaces.marketplaces_count, channels.marketplaces_count, 0
        ) as marketplaces_count,
        coalesce(accounts.default_currency, channels.currency, 'unknown') as default_currency,
        coalesce(
            accounts.started_on, channels.started_on, cast(loaded.first_loaded_at as date)
        ) as started_on,
        coalesce(accounts.is_active, channels.account is not null) as is_active
    from named
    left join accounts on named.account = accounts.account
    left join account_marketplaces on named.account = account_marketplaces.account
    left join channels on named.account = channels.account
    left join returned on named.account = returned.account
    left join loaded on named.account = loaded.account
    where named.account not in ('unknown', 'none', 'all')
),

reserved as (
    select
        member as account,
        member as connector,
        member as account_kind,
        0 as marketplaces_count,
        member as default_currency,
        cast(null as date) as started_on,
        false as is_active
    from {{ reserved_members() }}
),

final as (
    select * from listed
    union all
    select * from reserved
)

select * from final
