-- One row per day and currency for which somebody said how many units one euro costs: the ECB, or,
-- for a currency that the ECB does not list, the seller, through the euro or another currency.
with

ecb as (
    select
        rate_date,
        currency,
        cast(units_per_eur as double) as units_per_eur
    from {{ ref('base_fx__ecb_rates') }}
),

overrides as (
    select * from {{ ref('base_files__fx_rates') }}
),

ages as (
    {{ integers(8) }}
),

ecb_days as (
    select distinct rate_date from ecb
),

listed as (
    select
        rate_date,
        currency,
        units_per_eur
    from ecb

    union all

    -- the lev left the ECB's list when Bulgaria joined the euro; older orders still carry it
    select
        rate_date,
        'BGN' as currency,
        cast(1.95583 as double) as units_per_eur
    from ecb_days
    where rate_date > cast('2025-12-31' as date)
),

-- the figure on the days that it may serve
listed_days as (
    select
        listed.currency,
        {{ add_days("listed.rate_date", "ages.i") }} as rate_date,
        max_by(listed.units_per_eur, listed.rate_date) as units_per_eur
    from listed
    cross join ages
    group by
        listed.currency,
        {{ add_days("listed.rate_date", "ages.i") }}
),

-- the seller's rates, read both ways: one of currency costs rate of other
pairs as (
    select
        rate_date,
        base_currency as currency,
        quote_currency as other,
        cast(rate as double) as rate
    from overrides

    union all

    select
        rate_date,
        quote_currency as currency,
        base_currency as other,
        1 / cast(rate as double) as rate
    from overrides
),

unlisted as (
    select
        pairs.rate_date,
        pairs.currency,
        min_by(
            case when pairs.other = 'EUR' then 1 else other_days.units_per_eur end / pairs.rate,
            case when pairs.other = 'EUR' then '' else pairs.other end
        ) as units_per_eur
    from pairs
    left join listed_days as other_days
        on
            pairs.other = other_days.currency
            and pairs.rate_date = other_days.rate_date
    left join listed_days as own_days
        on
            pairs.currency = own_days.currency
            and pairs.rate_date = own_days.rate_date
    where
        own_days.currency is null
        and pairs.currency <> 'EUR'
        and (pairs.other = 'EUR' or other_days.units_per_eur is not null)
    group by
        pairs.rate_date,
        pairs.currency
),

final as (
    select
        rate_date,
        currency,
        units_per_eur,
        false as is_override
    from listed

    union all

    select
        rate_date,
        currency,
        units_per_eur,
        true as is_override
    from unlisted
)

select * from final
