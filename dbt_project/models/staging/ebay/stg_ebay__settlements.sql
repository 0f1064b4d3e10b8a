-- One row per payout that did not fail.
with

source as (
    select * from {{ source('raw_ebay', 'payouts') }}
),

payouts as (
    select
        source._account as account,
        source.payoutId as payout_id,
        source.payoutStatus as payout_status,
        {{ ebay_money("source.amount") }} as total_amount,
        source.amount.currency as paid_currency,
        {{ iso_timestamp("payoutDate") }} as deposited_at
    from source
),

settlements as (
    select
        'ebay' as connector,
        account,
        payout_id as settlement_id,
        total_amount,
        paid_currency as currency,
        deposited_at
    from payouts
    where coalesce(payout_status, '') not like '%FAILED%'
)

select * from settlements
