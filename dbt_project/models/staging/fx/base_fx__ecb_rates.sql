with

source as (
    select * from {{ source('raw_fx', 'ecb_rates') }}
),

rates as (
    select
        cast(rate_date as date) as rate_date,
        upper(currency) as currency,
        cast(units_per_eur as decimal(18, 10)) as units_per_eur
    from source
    where units_per_eur is not null
)

select * from rates
