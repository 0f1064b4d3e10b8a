-- What loading counted, per stream and night, its score lowered by the share of expectations that
-- failed in audits (connector `all`: what went out); and on stream `all` of tonight what only the
-- facts can tell: codes without a meaning, money without a rate, rows without their order,
-- settlements that do not add up.
with

files as (
    select
        connector,
        account,
        stream,
        cast(as_of_at as date) as quality_date,
        cast(sum(rows_in) as bigint) as rows_in,
        cast(sum(rows_loaded) as bigint) as rows_loaded,
        cast(sum(rows_duplicate) as bigint) as rows_duplicate
    from {{ source('load', 'file') }}
    group by
        connector,
        account,
        stream,
        cast(as_of_at as date)
),

quarantined as (
    select
        connector,
        account,
        stream,
        quality_date,
        cast(sum(rows) as bigint) as rows_quarantined
    from {{ ref('meta_quarantine') }}
    where not is_loaded
    group by
        connector,
        account,
        stream,
        quality_date
),

audits as (
    select
        connector,
        account,
        stream,
        cast(as_of_at as date) as quality_date,
        sum(rows_checked) as rows_checked,
        1 - cast(sum(failed) as double) / sum(expectations) as share_met
    from {{ source('load', 'audit') }}
    group by
        connector,
        account,
        stream,
        cast(as_of_at as date)
),

order_lines as (
    select
        connector,
        account,
        net_reporting is null and net_amount is not null as is_rate_missing,
        false as is_unlinked,
        false as is_unmapped
    from {{ ref('fct_order_line') }}
),

return_lines as (
    select
        connector,
        account,
        false as is_rate_missing,
        order_line_key = 'unknown' as is_unlinked,
        reason_claimed = 'unknown.unmapped' as is_unmapped
    from {{ ref('fct_return_line') }}
),

refund_lines as (
    select
        connector,
        account,
        net_reporting is null and net_amount is not null as is_rate_missing,
        order_line_key = 'unknown' as is_unlinked,
        false as is_unmapped
    from {{ ref('fct_refund_line') }}
),

settlement_lines as (
    select
        connector,
        account,
        amount_reporting is null and amount is not null as is_rate_missing,
        order_key = 'unknown' as is_unlinked,
        line_class = 'unknown' as is_unmapped
    from {{ ref('fct_settlement_line') }}
),

-- a desk's own rows, whatever account the sale was of
cases as (
    select
        split_part(case_key, ':', 1) as connector,
        split_part(case_key, ':', 2) as account,
        false as is_rate_missing,
        order_key = 'unknown' as is_unlinked,
        false as is_unmapped
    from {{ ref('fct_case') }}
),

-- charges of carriers' bills
parcel_bills as (
    select
        'files' as connector,
        account,
        bool_or(amount_reporting is null) as is_rate_missing,
        bool_and(order_line_key = 'unknown') as is_unlinked,
        false as is_unmapped
    from {{ ref('int_parcel_bill__spread') }}
    group by account, bill_key
),

settlements as (
    select
        summed.connector,
        summed.account,
        sum(case when summed.difference_amount <> 0 then 1 else 0 end) as settlements_off,
        sum(abs(summed.difference_amount) * fx_rates.rate_to_reporting) as settlement_difference
    from {{ ref('int_settlement__summed') }} as summed
    left join {{ ref('int_fx_rate__daily') }} as fx_rates
        on
            cast(summed.deposited_at as date) = fx_rates.rate_date
            and summed.currency = fx_rates.currency
    group by
        summed.connector,
        summed.account
),

fact_rows as (
    select * from order_lines
    union all
    select * from return_lines
    union all
    select * from refund_lines
    union all
    select * from settlement_lines
    union all
    select * from cases
    union all
    select * from parcel_bills
),

tonight as (
    select
        connector,
        account,
        'all' as stream,
        {{ as_of_date() }} as quality_date,
        count(*) as rows_in,
        sum(case when is_unmapped then 1 else 0 end) as unmapped_codes,
        sum(case when is_rate_missing then 1 else 0 end) as missing_rates,
        sum(case when is_unlinked then 1 else 0 end) as unlinked_rows,
        sum(case when is_unmapped or is_rate_missing or is_unlinked then 1 else 0 end)
            as rows_at_fault
    from fact_rows
    group by
        connector,
        account
),

keys as (
    select
        connector,
        account,
        stream,
        quality_date
    from files
    union
    select
        connector,
        account,
        stream,
        quality_date
    from quarantined
    union
    select
        connector,
        account,
        stream,
        quality_date
    from audits
),

loaded as (
    select
        keys.connector,
        keys.account,
        keys.stream,
        keys.quality_date,
        coalesce(
            files.rows_in, quarantined.rows_quarantined, cast(audits.rows_checked as bigint), 0
        ) as rows_in,
        coalesce(files.rows_loaded, 0) as rows_loaded,
        coalesce(files.rows_duplicate, 0) as rows_duplicate,
        coalesce(quarantined.rows_quarantined, 0) as rows_quarantined,
        coalesce(audits.share_met, 1) as share_met
    from keys
    left join files
        on
            keys.connector = files.connector
            and keys.account = files.account
            and keys.stream = files.stream
            and keys.quality_date = files.quality_date
    left join quarantined
        on
            keys.connector = quarantined.connector
            and keys.account = quarantined.account
            and keys.stream = quarantined.stream
            and keys.quality_date = quarantined.quality_date
    left join audits
        on
            keys.connector = audits.connector
            and keys.account = audits.account
            and keys.stream = audits.stream
            and keys.quality_date = audits.quality_date
),

final as (
    select
        connector,
        account,
        stream,
        quality_date,
        rows_in,
        rows_loaded,
        rows_duplicate,
        rows_quarantined,
        cast(0 as bigint) as unmapped_codes,
        cast(0 as bigint) as missing_rates,
        cast(0 as bigint) as unlinked_rows,
        cast(null as bigint) as settlements_off,
        cast(null as decimal(18, 4)) as settlement_difference,
        greatest(1 - coalesce({{ rate("rows_quarantined", "rows_in") }}, 0), 0) * share_met
            as completeness_score
    from loaded

    union all

    select
        tonight.connector,
        tonight.account,
        tonight.stream,
        tonight.quality_date,
        cast(tonight.rows_in as bigint) as rows_in,
        cast(tonight.rows_in as bigint) as rows_loaded,
        cast(0 as bigint) as rows_duplicate,
        cast(0 as bigint) as rows_quarantined,
        cast(tonight.unmapped_codes as bigint) as unmapped_codes,
        cast(tonight.missing_rates as bigint) as missing_rates,
        cast(tonight.unlinked_rows as bigint) as unlinked_rows,
        cast(settlements.settlements_off as bigint) as settlements_off,
        {{ money("settlements.settlement_difference") }} as settlement_difference,
        1 - {{ rate("tonight.rows_at_fault", "tonight.rows_in") }} as completeness_score
    from tonight
    left join settlements
        on tonight.connector = settlements.connector and tonight.account = settlements.account
)

select * from final
