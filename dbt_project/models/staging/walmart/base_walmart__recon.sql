-- One row per row of a payment report; its day is that of the report's settlement. A report that
-- was read from the API and downloaded as well has two days, but one period: the later day counts.
with

source as (
    select * from {{ source('raw_walmart', 'recon') }}
),

rows_of_reports as (
    select
        _account as account,
        report_date as settlement_id,
        cast(row_no as bigint) as row_no,
        coalesce(nullif(trim(transaction_type), ''), 'unknown') as transaction_type,
        coalesce(nullif(trim(amount_type), ''), 'unknown') as amount_type,
        coalesce(nullif(trim(transaction_description), ''), 'unknown') as amount_description,
        coalesce(lower(trim(transaction_type)) = 'paymentsummary', false) as is_summary,
        {{ iso_time_or_noon("transaction_posted_timestamp") }} as posted_at,
        {{ iso_time_or_noon("period_end_date") }} as period_end_at,
        nullif(trim(purchase_order), '') as order_id,
        nullif(trim(purchase_order_line), '') as line_id,
        nullif(partner_item_id, '') as sku,
        amount,
        total_payable,
        nullif(trim(currency), '') as currency
    from source
),

-- only the summary of a report names its currency for certain
currencies as (
    select
        account,
        settlement_id,
        max(currency) as currency
    from rows_of_reports
    group by account, settlement_id
),

periods as (
    select
        account,
        settlement_id
    from (
        select
            _account as account,
            report_date as settlement_id,
            max(period_start_date) as period_start,
            max(period_end_date) as period_end,
            max(nullif(trim(currency), '')) as currency
        from source
        group by _account, report_date
    ) as reports
    qualify
        row_number() over (
            partition by account, period_start, period_end, currency
            order by settlement_id desc
        ) = 1
        or period_end is null
),

recon as (
    select
        rows_of_reports.account,
        rows_of_reports.settlement_id,
        rows_of_reports.row_no,
        rows_of_reports.transaction_type,
        rows_of_reports.amount_type,
        rows_of_reports.amount_description,
        rows_of_reports.is_summary,
        rows_of_reports.posted_at,
        rows_of_reports.period_end_at,
        rows_of_reports.order_id,
        rows_of_reports.line_id,
        rows_of_reports.sku,
        rows_of_reports.amount,
        rows_of_reports.total_payable,
        coalesce(rows_of_reports.currency, currencies.currency) as currency
    from rows_of_reports
    inner join currencies
        on
            rows_of_reports.account = currencies.account
            and rows_of_reports.settlement_id = currencies.settlement_id
    inner join periods
        on
            rows_of_reports.account = periods.account
            and rows_of_reports.settlement_id = periods.settlement_id
)

select * from recon
