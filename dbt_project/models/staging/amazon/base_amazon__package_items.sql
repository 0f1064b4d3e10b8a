with

orders as (
    select * from {{ ref('base_amazon__orders') }}
),

packages as (
    select
        account,
        order_id,
        {{ elements("packages") }} as package
    from orders
),

items as (
    select
        packages.account,
        packages.order_id,
        packages.package.packageReferenceId as package_id,
        packages.package.carrier,
        packages.package.shippingService as service,
        packages.package.trackingNumber as tracking_number,
        upper(packages.package.packageStatus.status) as package_status,
        upper(packages.package.packageStatus.detailedStatus) as detailed_status,
        {{ iso_timestamp("packages.package.shipTime") }} as shipped_at,
        {{ elements("packages.package.packageItems") }} as item
    from packages
),

package_items as (
    select
        items.account,
        items.order_id,
        items.package_id,
        items.carrier,
        items.service,
        items.tracking_number,
        items.item.orderItemId as order_item_id,
        cast(items.item.quantity as bigint) as quantity,
        coalesce(
            items.package_status = 'UNDELIVERABLE'
            or items.detailed_status in (
                'REJECTED_BY_BUYER', 'UNDELIVERABLE', 'RETURNING_TO_SELLER',
                'RETURNED_TO_SELLER', 'LOST', 'DAMAGED'
            ),
            false
        ) as is_undelivered,
        items.shipped_at
    from items
    where coalesce(items.package_status, '') <> 'CANCELLED'
)

select * from package_items
