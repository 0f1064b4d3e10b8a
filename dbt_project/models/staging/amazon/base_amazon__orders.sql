with

source as (
    select * from {{ source('raw_amazon', 'orders') }}
),

orders as (
    select
        _account as account,
        orderId as order_id,
        salesChannel.marketplaceId as marketplace_id,
        salesChannel.marketplaceName as marketplace_name,
        nullif(upper(trim(recipient.deliveryAddress.countryCode)), '') as country,
        upper(fulfillment.fulfillmentStatus) as fulfilment_status,
        upper(fulfillment.fulfilledBy) as fulfilled_by,
        {{ iso_timestamp("createdTime") }} as created_at,
        {{ iso_timestamp("lastUpdatedTime") }} as updated_at,
        {{ iso_timestamp("fulfillment.shipByWindow.latestDateTime") }} as ship_by_at,
        {{ iso_timestamp("fulfillment.deliverByWindow.latestDateTime") }} as deliver_by_at,
        associatedOrders as associated_orders,
        orderItems as order_items,
        packages
    from source
)

select * from orders
