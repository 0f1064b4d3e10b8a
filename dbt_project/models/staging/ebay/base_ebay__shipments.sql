-- One row per shipment of an order line. A line that eBay holds for sent although nobody told a
-- shipment counts as sent when its order was last changed.
with

orders as (
    select * from {{ ref('base_ebay__orders') }}
),

lines as (
    select * from {{ ref('base_ebay__lines') }}
),

fulfilments as (
    select
        account,
        order_id,
        {{ elements("fulfilments") }} as fulfilment
    from orders
),

items as (
    select
        fulfilments.account,
        fulfilments.order_id,
        fulfilments.fulfilment.fulfillmentId as fulfilment_id,
        nullif(trim(fulfilment.shipmentTrackingNumber), '') as tracking_number,
        nullif(trim(fulfilment.shippingCarrierCode), '') as carrier,
        {{ iso_timestamp("fulfilment.shippedDate") }} as shipped_at,
        {{ elements("fulfilment.lineItems") }} as item
    from fulfilments
),

shipped_items as (
    select
        items.*,
        item.lineItemId as line_id,
        item.quantity as told_quantity
    from items
),

told as (
    select
        shipped_items.account,
        shipped_items.order_id,
        shipped_items.fulfilment_id,
        shipped_items.tracking_number,
        shipped_items.carrier,
        shipped_items.shipped_at,
        shipped_items.line_id,
        cast(coalesce(shipped_items.told_quantity, lines.quantity) as bigint) as quantity
    from shipped_items
    inner join lines
        on shipped_items.account = lines.account and shipped_items.line_id = lines.line_id
),

untold as (
    select
        lines.account,
        lines.order_id,
        'none' as fulfilment_id,
        cast(null as varchar) as tracking_number,
        cast(null as varchar) as carrier,
        orders.updated_at as shipped_at,
        lines.line_id,
        lines.quantity
    from lines
    inner join orders on lines.account = orders.account and lines.order_id = orders.order_id
    where
        lines.fulfilment_status = 'FULFILLED'
        and not orders.is_cancelled
        and not exists (
            select 1
            from told
            where told.account = lines.account and told.line_id = lines.line_id
        )
),

shipments as (
    select * from told
    union all
    select * from untold
)

select * from shipments
