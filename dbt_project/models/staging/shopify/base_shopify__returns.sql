with

source as (
    select * from {{ source('raw_shopify', 'returns') }}
),

returns as (
    select
        _account as account,
        {{ gid_number("id") }} as return_id,
        {{ gid_number("orderId") }} as order_id,
        status as native_status,
        {{ iso_timestamp("createdAt") }} as requested_at,
        {{ iso_timestamp("requestApprovedAt") }} as approved_at,
        {{ iso_timestamp("closedAt") }} as closed_at,
        returnShippingFees as shipping_fees,
        returnLineItems as return_items,
        exchangeLineItems as exchange_items,
        reverseFulfillmentOrders as reverse_orders
    from source
)

select * from returns
