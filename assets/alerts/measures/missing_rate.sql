-- Accounts with money that no rate of exchange turns into the reporting currency.
with

missing as (
    select
        connector,
        account,
        currency,
        ordered_date as missing_date
    from marts.fct_order_line
    where net_amount is not null and net_reporting is null
    union all
    select
        connector,
        account,
        currency,
        cast(refunded_at as date) as missing_date
    from marts.fct_refund_line
    where net_amount is not null and net_reporting is null
    union all
    select
        connector,
        account,
        currency,
        cast(posted_at as date) as missing_date
    from marts.fct_settlement_line
    where amount is not null and amount_reporting is null
),

counted as (
    select
        connector,
        account,
        count(*) as rows_missing,
        min(missing_date) as first_date,
        max(missing_date) as last_date,
        string_agg(distinct currency, ', ' order by currency) as currencies
    from missing
    group by connector, account
)

select
    'source' as entity_type,
    concat_ws('|', counted.connector, counted.account, 'all') as entity_key,
    counted.account,
    cast(counted.rows_missing as double) as k,
    cast(quality.rows_in as double) as n,
    cast(counted.rows_missing as double) as value,
    strftime(counted.first_date, '%Y-%m-%d') as since,
    counted.currencies as fact_currencies,
    strftime(counted.last_date, '%Y-%m-%d') as fact_until
from counted
left join meta.data_quality as quality
    on
        counted.connector = quality.connector
        and counted.account = quality.account
        and quality.stream = 'all'
        and quality.quality_date = cast($as_of as date)
