with

source as (
    select * from {{ source('raw_shopify', 'disputes') }}
),

disputes as (
    select
        'shopify' as connector,
        source._account as account,
        {{ gid_number("id") }} as dispute_id,
        {{ gid_number("orderId") }} as order_id,
        case when source.type = 'CHARGEBACK' then 'chargeback' else 'inquiry' end as dispute_kind,
        case
            when status in ('NEEDS_RESPONSE', 'UNDER_REVIEW') then 'open'
            when status = 'CHARGE_REFUNDED' then 'refunded'
            else lower(status)
        end as status,
        reasonDetails.reason as reason_raw,
        {{ iso_timestamp("initiatedAt") }} as opened_at,
        {{ iso_timestamp("finalizedOn") }} as closed_at,
        {{ money("try_cast(source.amount.amount as decimal(18, 4))") }} as amount,
        source.amount.currencyCode as currency
    from source
)

select * from disputes
