-- One row per currency and day on which a rate to the reporting currency was published: the ECB's
-- cross rate, or the seller's own rate for the day and pair, which wins.
with

setting as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

ecb as (
    select * from {{ ref('base_fx__ecb_rates') }}
),

overrides as (
    select * from {{ ref('base_files__fx_rates') }}
),

ages as (
    {{ integers(8) }}
),

listed as (
    select
        rate_date,
        currency,
        cast(units_per_eur as double) as units_per_eur
    from ecb

    union

    select
        rate_date,
        'EUR' as currency,
        cast(1 as double) as units_per_eur
    from ecb
),

-- the ECB's figure on the days that it may serve
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

-- a currency that the ECB does not list, through the euro or another that it does
euro_overrides as (
    select
        pairs.rate_date,
        pairs.currency,
        min_by(
            other.units_per_eur / pairs.rate,
            case when pairs.other = 'EUR' then '' else pairs.other end
        ) as units_per_eur
    from pairs
    inner join listed_days as other
        on
            pairs.other = other.currency
            and pairs.rate_date = other.rate_date
    left join listed_days
        on
            pairs.currency = listed_days.currency
            and pairs.rate_date = listed_days.rate_date
    where listed_days.currency is null
    group by
        pairs.rate_date,
        pairs.currency
),

euro_days as (
    select distinct rate_date from ecb
),

euro_rates as (
    select
        rate_date,
        currency,
        cast(units_per_eur as double) as units_per_eur,
        false as is_override
    from ecb
    union all
    select
        rate_date,
        currency,
        units_per_eur,
        true as is_override
    from euro_overrides
    union all
    select
        rate_date,
        'EUR' as currency,
        cast(1 as double) as units_per_eur,
        false as is_override
    from euro_days
    union all
    -- the lev left the ECB's list when Bulgaria joined the euro; older orders still carry it
    select
        rate_date,
        'BGN' as currency,
        cast(1.95583 as double) as units_per_eur,
        false as is_override
    from euro_days
    where rate_date > cast('2025-12-31' as date)
),

euro_rate as (
    select *
    from euro_rates
    qualify row_number() over (partition by rate_date, currency order by is_override desc) = 1
),

reporting_rates as (
    select
        euro_rate.*,
        lead(euro_rate.rate_date) over (order by euro_rate.rate_date) as next_date
    from euro_rate
    inner join setting on euro_rate.currency = setting.reporting_currency
),

-- the reporting currency's own figure on the days until the next one
reporting_days as (
    select
        {{ add_days("reporting_rates.rate_date", "ages.i") }} as rate_date,
        reporting_rates.currency,
        reporting_rates.units_per_eur,
        reporting_rates.is_override
    from reporting_rates
    cross join ages
    where
        reporting_rates.next_date is null
        or {{ add_days("reporting_rates.rate_date", "ages.i") }} < reporting_rates.next_date
),

crossed as (
    select
        priced.rate_date,
        priced.currency,
        reporting_days.units_per_eur / priced.units_per_eur as rate_to_reporting,
        priced.is_override or reporting_days.is_override as is_override
    from euro_rate as priced
    inner join reporting_days on priced.rate_date = reporting_days.rate_date
    where priced.currency <> reporting_days.currency
),

pair_overrides as (
    select
        pairs.rate_date,
        pairs.currency,
        pairs.rate as rate_to_reporting,
        true as is_override
    from pairs
    inner join setting on pairs.other = setting.reporting_currency
),

candidates as (
    select
        *,
        1 as preference
    from pair_overrides
    union all
    select
        *,
        2 as preference
    from crossed
),

final as (
    select
        rate_date,
        currency,
        cast(rate_to_reporting as decimal(18, 10)) as rate_to_reporting,
        case when is_override then 'override' else 'ecb' end as rate_source
    from candidates
    where rate_date <= {{ as_of_date() }}
    qualify row_number() over (
        partition by rate_date, currency order by preference, rate_to_reporting
    ) = 1
)

select * from final
