-- One row per line of a return; a line that Shopify could not verify names no order line.
with

returns as (
    select * from {{ ref('base_shopify__returns') }}
),

items as (
    select
        account,
        return_id,
        order_id,
        native_status,
        requested_at,
        closed_at,
        {{ elements("return_items") }} as item
    from returns
),

return_items as (
    select
        items.account,
        items.return_id,
        items.order_id,
        items.native_status,
        items.requested_at,
        items.closed_at,
        {{ gid_number("item.id") }} as line,
        {{ gid_number("item.fulfillmentLineItem.id") }} as fulfilment_line_id,
        {{ gid_number("item.fulfillmentLineItem.lineItem.id") }} as line_id,
        cast(coalesce(item.quantity, 0) as bigint) as quantity,
        cast(coalesce(item.processedQuantity, 0) as bigint) as processed_quantity,
        cast(coalesce(item.refundedQuantity, 0) as bigint) as refunded_quantity,
        coalesce(
            nullif(trim(item.returnReasonDefinition.handle), ''),
            nullif(trim(item.returnReason), '')
        ) as reason_raw,
        coalesce(nullif(trim(item.customerNote), ''), nullif(trim(item.returnReasonNote), ''))
            as comment,
        {{ shop_money("item.restockingFee.amountSet") }} as restocking_fee
    from items
)

select * from return_items
