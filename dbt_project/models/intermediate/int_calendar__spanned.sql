-- One row: the first day that the data can speak of and the last one that it can still concern.
-- The year before the first order is in it, for the cost of what was bought before it was sold.
with

order_lines as (
    select * from {{ ref('int_order_line__unioned') }}
),

batches as (
    select * from {{ ref('base_files__purchase_batches') }}
),

selling as (
    select distinct account from {{ source('settings', 'account_marketplace') }}
),

-- accounts that sell; rates of exchange begin long before
accounts as (
    select account.*
    from {{ source('settings', 'account') }} as account
    inner join selling on account.account = selling.account
),

settings as (
    select * from {{ source('settings', 'setting') }}
),

horizons as (
    select * from {{ source('settings', 'horizon') }}
),

first_days as (
    select min(cast(ordered_at as date)) as first_day from order_lines
    union all
    select min(started_on) as first_day from accounts
    union all
    select min(least(cost_date, production_date, arrived_on)) as first_day from batches
),

longest_horizon as (
    select
        greatest(
            (select max(return_horizon_days) from settings),
            (select max(days) from horizons)
        ) as days
),

final as (
    select
        cast(
            date_trunc(
                'year',
                {{ add_days(
                    "coalesce(min(first_days.first_day), " ~ as_of_date() ~ ")", "-365"
                ) }}
            ) as date
        ) as first_day,
        {{ as_of_date() }} as as_of_day,
        {{ add_days(as_of_date(), "coalesce(max(longest_horizon.days), 0) + 31") }} as last_day
    from first_days
    cross join longest_horizon
)

select * from final
