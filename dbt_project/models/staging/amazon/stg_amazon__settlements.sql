-- One row per settlement: what its header row says was paid out in all.
with

source as (
    select * from {{ source('raw_amazon', 'settlements') }}
    -- row 1 is the header; a file without one tells no total
    where row_no = 1
),

settlements as (
    select
        'amazon' as connector,
        _account as account,
        settlement_id,
        {{ money("nullif(trim(total_amount), '')") }} as total_amount,
        nullif(trim(currency), '') as currency,
        {{ iso_timestamp("deposit_date") }} as deposited_at
    from source
)

select * from settlements
