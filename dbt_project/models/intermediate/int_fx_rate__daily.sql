-- One row per day of the data and currency: what one unit is worth in the reporting currency, each
-- side by its last figure on or before the day, at most seven days old; else NULL, never 1. A rate
-- that the seller gives for the pair itself holds until the ECB publishes the pair again.
with

setting as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

per_euro as (
    select * from {{ ref('int_fx_rate__per_euro') }}
),

overrides as (
    select * from {{ ref('base_files__fx_rates') }}
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

-- a day more on both ends, for the dates of zones behind and before UTC
span as (
    select {{ add_days("coalesce(min(first_day), " ~ as_of_date() ~ ")", "-1") }} as first_day
    from first_days
),

days as (
    select {{ add_days("span.first_day", "numbers.i") }} as rate_date
    from span
    cross join numbers
    where {{ add_days("span.first_day", "numbers.i") }} <= {{ add_days(as_of_date(), "1") }}
),

currencies as (
    select currency from per_euro
    union
    select base_currency as currency from overrides
    union
    select quote_currency as currency from overrides
    union
    select currency from order_lines
    where currency <> 'unknown'
    union
    select currency from batches
    where currency is not null
    union
    select 'EUR' as currency
    union
    select reporting_currency as currency from setting
),

-- each figure on the days that it may serve, the newest first; the euro needs none
sides as (
    select
        {{ add_days("per_euro.rate_date", "ages.i") }} as day,
        per_euro.currency,
        max(per_euro.rate_date) as figure_date,
        max_by(per_euro.units_per_eur, per_euro.rate_date) as units_per_eur,
        max_by(per_euro.is_override, per_euro.rate_date) as is_override
    from per_euro
    cross join ages
    group by
        {{ add_days("per_euro.rate_date", "ages.i") }},
        per_euro.currency
),

pairs as (
    select
        overrides.rate_date,
        overrides.base_currency as currency,
        cast(overrides.rate as double) as rate_to_reporting
    from overrides
    inner join setting on overrides.quote_currency = setting.reporting_currency

    union all

    select
        overrides.rate_date,
        overrides.quote_currency as currency,
        1 / cast(overrides.rate as double) as rate_to_reporting
    from overrides
    inner join setting on overrides.base_currency = setting.reporting_currency
),

pair_days as (
    select
        {{ add_days("pairs.rate_date", "ages.i") }} as day,
        pairs.currency,
        max(pairs.rate_date) as given_date,
        max_by(pairs.rate_to_reporting, pairs.rate_date) as rate_to_reporting
    from pairs
    cross join ages
    group by
        {{ add_days("pairs.rate_date", "ages.i") }},
        pairs.currency
),

crossed as (
    select
        days.rate_date,
        currencies.currency,
        setting.reporting_currency,
        case when setting.reporting_currency = 'EUR' then 1 else reporting.units_per_eur end
        / case when currencies.currency = 'EUR' then 1 else priced.units_per_eur end
            as crossed_rate,
        -- NULL on the side of the euro, which least and greatest leave out
        least(priced.figure_date, reporting.figure_date) as older_date,
        greatest(priced.figure_date, reporting.figure_date) as newer_date,
        coalesce(priced.is_override, false) or coalesce(reporting.is_override, false)
            as is_crossed_override,
        pair_days.rate_to_reporting as pair_rate,
        pair_days.given_date as pair_date
    from days
    cross join currencies
    cross join setting
    left join sides as priced
        on
            days.rate_date = priced.day
            and currencies.currency = priced.currency
    left join sides as reporting
        on
            days.rate_date = reporting.day
            and setting.reporting_currency = reporting.currency
    left join pair_days
        on
            days.rate_date = pair_days.day
            and currencies.currency = pair_days.currency
),

judged as (
    select
        *,
        case
            when currency = reporting_currency then 'itself'
            when pair_rate is not null and (crossed_rate is null or pair_date >= newer_date)
                then 'pair'
            when crossed_rate is not null then 'crossed'
        end as chosen
    from crossed
),

final as (
    select
        rate_date,
        currency,
        reporting_currency,
        -- wider than it needs to be: two decimals of at most 18 digits multiply in 64 bits, and
        -- an amount of some ten thousand times a rate with ten decimals does not fit there
        cast(
            case chosen
                when 'itself' then 1
                when 'pair' then pair_rate
                when 'crossed' then crossed_rate
            end as decimal(20, 10)
        ) as rate_to_reporting,
        case chosen
            when 'itself' then rate_date
            when 'pair' then pair_date
            when 'crossed' then older_date
        end as source_date,
        case chosen
            when 'itself' then cast(0 as bigint)
            when 'pair' then {{ days_between("pair_date", "rate_date") }}
            when 'crossed' then {{ days_between("older_date", "rate_date") }}
        end as days_old,
        case chosen
            when 'itself' then 'ecb'
            when 'pair' then 'override'
            when 'crossed' then case when is_crossed_override then 'override' else 'ecb' end
        end as rate_source
    from judged
)

select * from final
