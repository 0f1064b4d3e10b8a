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
        account,
        order_id,
        package.packageReferenceId as package_id,
        upper(package.packageStatus.status) as package_status,
        upper(package.packageStatus.detailedStatus) as detailed_status,
        {{ iso_timestamp("package.shipTime") }} as shipped_at,
        {{ elements("package.packageItems") }} as item
    from packages
),

package_items as (
    select
        account,
        order_id,
        package_id,
        item.orderItemId as order_item_id,
        cast(item.quantity as bigint) as quantity,
        coalesce(
            package_status = 'UNDELIVERABLE'
            or detailed_status in (
                'REJECTED_BY_BUYER', 'UNDELIVERABLE', 'RETURNING_TO_SELLER',
                'RETURNED_TO_SELLER', 'LOST', 'DAMAGED'
            ),
            false
        ) as is_undelivered,
        shipped_at
    from items
    where coalesce(package_status, '') <> 'CANCELLED'
)

select * from package_items
