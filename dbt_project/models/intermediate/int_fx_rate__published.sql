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

-- an override against the euro stands in for the ECB's figure of the day
euro_overrides as (
    select
        rate_date,
        quote_currency as currency,
        cast(rate as double) as units_per_eur
    from overrides
    where base_currency = 'EUR'
    union all
    select
        rate_date,
        base_currency as currency,
        1 / cast(rate as double) as units_per_eur
    from overrides
    where quote_currency = 'EUR'
),

euro_days as (
    select rate_date from ecb
    union
    select rate_date from euro_overrides
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

crossed as (
    select
        priced.rate_date,
        priced.currency,
        reporting.units_per_eur / priced.units_per_eur as rate_to_reporting,
        priced.is_override or reporting.is_override as is_override
    from euro_rate as priced
    inner join euro_rate as reporting on priced.rate_date = reporting.rate_date
    inner join setting on reporting.currency = setting.reporting_currency
    where priced.currency <> setting.reporting_currency
),

pair_overrides as (
    select
        overrides.rate_date,
        overrides.base_currency as currency,
        cast(overrides.rate as double) as rate_to_reporting,
        true as is_override
    from overrides
    inner join setting on overrides.quote_currency = setting.reporting_currency
    union all
    select
        overrides.rate_date,
        overrides.quote_currency as currency,
        1 / cast(overrides.rate as double) as rate_to_reporting,
        true as is_override
    from overrides
    inner join setting on overrides.base_currency = setting.reporting_currency
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
