with

source as (
    select * from {{ source('raw_amazon', 'orders') }}
),

orders as (
    select
        source._account as account,
        source.orderId as order_id,
        source.salesChannel.marketplaceId as marketplace_id,
        source.salesChannel.marketplaceName as marketplace_name,
        nullif(upper(trim(source.recipient.deliveryAddress.countryCode)), '') as country,
        upper(source.fulfillment.fulfillmentStatus) as fulfilment_status,
        upper(source.fulfillment.fulfilledBy) as fulfilled_by,
        {{ iso_timestamp("source.createdTime") }} as created_at,
        {{ iso_timestamp("source.lastUpdatedTime") }} as updated_at,
        {{ iso_timestamp("source.fulfillment.shipByWindow.latestDateTime") }} as ship_by_at,
        {{ iso_timestamp("source.fulfillment.deliverByWindow.latestDateTime") }} as deliver_by_at,
        source.associatedOrders as associated_orders,
        source.orderItems as order_items,
        source.packages
    from source
)

select * from orders
