-- One row per day of the data and currency: what one unit is worth in the reporting currency. It is
-- the last rate published on or before the day, at most seven days old; else NULL, never 1.
with

setting as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

published as (
    select * from {{ ref('int_fx_rate__published') }}
),

order_lines as (
    select * from {{ ref('int_order_line__unioned') }}
),

batches as (
    select * from {{ ref('base_files__purchase_batches') }}
),

products as (
    select * from {{ ref('base_files__products') }}
),

numbers as (
    {{ integers(20000) }}
),

ages as (
    {{ integers(8) }}
),

first_days as (
    select min(cast(ordered_at as date)) as first_day from order_lines
    union all
    select min(cost_date) as first_day from batches
    union all
    select min(valid_from) as first_day from products
),

-- a day more, for the dates of zones behind UTC
span as (
    select {{ add_days("coalesce(min(first_day), " ~ as_of_date() ~ ")", "-1") }} as first_day
    from first_days
),

days as (
    select {{ add_days("span.first_day", "numbers.i") }} as rate_date
    from span
    cross join numbers
    where {{ add_days("span.first_day", "numbers.i") }} <= {{ as_of_date() }}
),

currencies as (
    select currency from published
    union
    select currency from order_lines
    where currency <> 'unknown'
    union
    select reporting_currency as currency from setting
),

followed as (
    select
        *,
        lead(rate_date) over (partition by currency order by rate_date) as next_date
    from published
),

-- each published rate holds until the next one, for seven days at most
held as (
    select
        {{ add_days("followed.rate_date", "numbers.i") }} as rate_date,
        followed.currency,
        followed.rate_to_reporting,
        followed.rate_date as source_date,
        cast(numbers.i as bigint) as days_old,
        followed.rate_source
    from followed
    cross join ages as numbers
    where
        followed.next_date is null
        or {{ add_days("followed.rate_date", "numbers.i") }} < followed.next_date
),

final as (
    select
        days.rate_date,
        currencies.currency,
        setting.reporting_currency,
        -- wider than it needs to be: two decimals of at most 18 digits multiply in 64 bits, and
        -- an amount of some ten thousand times a rate with ten decimals does not fit there
        cast(
            case
                when currencies.currency = setting.reporting_currency then 1
                else held.rate_to_reporting
            end as decimal(20, 10)
        ) as rate_to_reporting,
        case
            when currencies.currency = setting.reporting_currency then days.rate_date
            else held.source_date
        end as source_date,
        case
            when currencies.currency = setting.reporting_currency then cast(0 as bigint)
            else held.days_old
        end as days_old,
        case
            when currencies.currency = setting.reporting_currency then 'ecb'
            else held.rate_source
        end as rate_source
    from days
    cross join currencies
    cross join setting
    left join held
        on days.rate_date = held.rate_date and currencies.currency = held.currency
)

select * from final
