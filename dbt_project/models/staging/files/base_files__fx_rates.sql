with

source as (
    select * from {{ source('raw_files', 'fx_rates') }}
),

fx_rates as (
    select
        rate_date,
        upper(base) as base_currency,
        upper(quote) as quote_currency,
        cast(rate as decimal(18, 10)) as rate,
        source as rate_origin
    from source
)

select * from fx_rates
