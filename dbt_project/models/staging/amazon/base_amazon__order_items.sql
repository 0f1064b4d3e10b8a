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
        account,
        order_id,
        item.orderItemId as order_item_id,
        coalesce(nullif(trim(item.product.sellerSku), ''), 'unknown') as sku,
        nullif(trim(item.product.asin), '') as asin,
        cast(item.quantityOrdered as bigint) as quantity_ordered,
        cast(item.fulfillment.quantityFulfilled as bigint) as quantity_fulfilled,
        cast(item.fulfillment.quantityUnfulfilled as bigint) as quantity_unfulfilled,
        nullif(trim(item.product.price.unitPrice.currencyCode), '') as currency,
        {{ money("nullif(trim(item.product.price.unitPrice.amount), '')") }} as unit_price,
        coalesce(
            item.cancellation.cancellationExecution.cancelReason,
            item.cancellation.cancellationRequest.cancelReason
        ) as cancel_reason
    from items
)

select * from order_items
