with

source as (
    select * from {{ source('raw_amazon', 'settlements') }}
),

settlement_rows as (
    select
        _account as account,
        settlement_id,
        cast(row_no as bigint) as row_no,
        nullif(trim(marketplace_name), '') as marketplace_name,
        coalesce(nullif(trim(transaction_type), ''), 'unknown') as transaction_type,
        coalesce(nullif(trim(amount_type), ''), 'unknown') as amount_type,
        coalesce(nullif(trim(amount_description), ''), 'unknown') as amount_description,
        nullif(trim(order_id), '') as order_id,
        nullif(trim(adjustment_id), '') as adjustment_id,
        nullif(trim(sku), '') as sku,
        {{ money("nullif(trim(amount), '')") }} as amount,
        nullif(trim(currency), '') as currency,
        {{ iso_timestamp("coalesce(nullif(posted_date_time, ''), posted_date)") }} as posted_at
    from source
    -- row 1 is the settlement's header: dates and total only
    where row_no > 1
)

select * from settlement_rows
