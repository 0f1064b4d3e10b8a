with

orders as (
    select * from {{ ref('base_amazon__orders') }}
),

items as (
    select
        account,
        order_id,
        {{ elements("order_items") }} as item
    from orders
),

order_items as (
    select
        items.account,
        items.order_id,
        items.item.orderItemId as order_item_id,
        coalesce(nullif(trim(items.item.product.sellerSku), ''), 'unknown') as sku,
        nullif(trim(items.item.product.asin), '') as asin,
        cast(items.item.quantityOrdered as bigint) as quantity_ordered,
        cast(items.item.fulfillment.quantityFulfilled as bigint) as quantity_fulfilled,
        cast(items.item.fulfillment.quantityUnfulfilled as bigint) as quantity_unfulfilled,
        nullif(trim(items.item.product.price.unitPrice.currencyCode), '') as currency,
        {{ money("nullif(trim(items.item.product.price.unitPrice.amount), '')") }} as unit_price,
        coalesce(
            items.item.cancellation.cancellationExecution.cancelReason,
            items.item.cancellation.cancellationRequest.cancelReason
        ) as cancel_reason
    from items
)

select * from order_items
