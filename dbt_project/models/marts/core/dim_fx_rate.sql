with

daily as (
    select
        rate_date,
        currency,
        reporting_currency,
        cast(rate_to_reporting as decimal(18, 10)) as rate_to_reporting,
        source_date,
        days_old,
        coalesce(rate_source, 'none') as rate_source
    from {{ ref('int_fx_rate__daily') }}
),

settings as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

reserved as (
    select
        {{ unknown_date() }} as rate_date,
        reserved.member as currency,
        settings.reporting_currency,
        cast(null as decimal(18, 10)) as rate_to_reporting,
        cast(null as date) as source_date,
        cast(null as bigint) as days_old,
        'none' as rate_source
    from {{ reserved_members() }}
    cross join settings
),

final as (
    select * from daily
    union all
    select * from reserved
)

select * from final
