-- One row per shipment of an order line that Shopify holds for sent.
with

orders as (
    select * from {{ ref('base_shopify__orders') }}
),

fulfilments as (
    select
        account,
        order_id,
        {{ elements("fulfillments") }} as fulfilment
    from orders
),

items as (
    select
        fulfilments.account,
        fulfilments.order_id,
        {{ gid_number("fulfilment.id") }} as fulfilment_id,
        coalesce(
            nullif(trim(fulfilment.location.name), ''), {{ gid_number("fulfilment.location.id") }}
        ) as fulfilment_centre_id,
        coalesce(fulfilment.displayStatus in ('NOT_DELIVERED', 'FAILURE'), false)
            as is_undelivered,
        {{ iso_timestamp("fulfilment.createdAt") }} as shipped_at,
        {{ iso_timestamp("fulfilment.deliveredAt") }} as delivered_at,
        {{ iso_timestamp("fulfilment.estimatedDeliveryAt") }} as estimated_at,
        fulfilment.trackingInfo as trackings,
        {{ elements("fulfilment.fulfillmentLineItems") }} as item
    from fulfilments
    where fulfilment.status = 'SUCCESS'
),

shipments as (
    select
        items.account,
        items.order_id,
        items.fulfilment_id,
        {{ gid_number("item.lineItem.id") }} as line_id,
        cast(coalesce(item.quantity, 0) as bigint) as quantity,
        items.fulfilment_centre_id,
        items.trackings,
        items.is_undelivered,
        items.shipped_at,
        items.delivered_at,
        items.estimated_at
    from items
)

select * from shipments
