with

source as (
    select * from {{ source('raw_ebay', 'payment_disputes') }}
),

told as (
    select
        source._account as account,
        source.paymentDisputeId as dispute_id,
        source.orderId as order_id,
        'chargeback' as dispute_kind,
        case
            when source.paymentDisputeStatus <> 'CLOSED' then 'open'
            when source.sellerResponse like 'ACCEPT%' then 'accepted'
            when {{ ebay_money("resolution.recoupAmount") }} > 0 then 'lost'
            else 'won'
        end as status,
        source.reason as reason_raw,
        {{ iso_timestamp("openDate") }} as opened_at,
        {{ iso_timestamp("closedDate") }} as closed_at,
        {{ ebay_money("source.amount") }} as disputed_amount,
        source.amount.currency as disputed_currency
    from source
),

disputes as (
    select
        'ebay' as connector,
        account,
        dispute_id,
        order_id,
        dispute_kind,
        status,
        reason_raw,
        opened_at,
        closed_at,
        disputed_amount as amount,
        disputed_currency as currency
    from told
)

select * from disputes
