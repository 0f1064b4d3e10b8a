with

source as (
    select * from {{ source('raw_ebay', 'orders') }}
),

orders as (
    select
        source._account as account,
        source.orderId as order_id,
        nullif(trim(source.legacyOrderId), '') as legacy_order_id,
        source.orderFulfillmentStatus as fulfilment_status,
        coalesce(cancelStatus.cancelState in ('CANCELED', 'CANCELLED'), false) as is_cancelled,
        coalesce(source.customerKey, 'unknown') as customer_key,
        {{ iso_timestamp("creationDate") }} as ordered_at,
        {{ iso_timestamp("lastModifiedDate") }} as updated_at,
        {{ iso_timestamp("cancelStatus.cancelledDate") }} as cancelled_at,
        cancelStatus.cancelRequests as cancel_requests,
        paymentSummary.payments as order_payments,
        paymentSummary.refunds as order_refunds,
        source.fulfillmentStartInstructions as start_instructions,
        source.lineItems as line_items,
        source.fulfillments as fulfilments
    from source
)

select * from orders
