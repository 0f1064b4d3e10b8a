-- One row per order line and parcel of a shop: sent to a buyer, or on its way back. Of a shipment
-- with several numbers nobody tells which units are in which parcel.
with

shipment_lines as (
    select * from {{ ref('base_shopify__shipments') }}
),

orders as (
    select * from {{ ref('base_shopify__orders') }}
),

returns as (
    select * from {{ ref('base_shopify__returns') }}
),

return_items as (
    select * from {{ ref('base_shopify__return_items') }}
),

numbered_lines as (
    select
        account,
        order_id,
        fulfilment_id,
        line_id,
        quantity,
        fulfilment_centre_id,
        shipped_at,
        {{ elements("trackings") }} as tracking
    from shipment_lines
),

sent as (
    select
        numbered_lines.account,
        numbered_lines.order_id,
        numbered_lines.line_id,
        cast(null as varchar) as return_id,
        case
            when
                count(*)
                    over (
                        partition by
                            numbered_lines.account,
                            numbered_lines.fulfilment_id,
                            numbered_lines.line_id
                    )
                = 1
                then quantity
        end as quantity,
        tracking.company as carrier_raw,
        tracking.number as tracking_number,
        'outbound' as direction,
        numbered_lines.shipped_at,
        numbered_lines.fulfilment_centre_id
    from numbered_lines
),

reverse_orders as (
    select
        account,
        order_id,
        return_id,
        requested_at,
        {{ elements("reverse_orders") }} as reverse_order
    from returns
),

reverse_lines as (
    select
        reverse_orders.account,
        reverse_orders.return_id,
        {{ elements("reverse_order.lineItems") }} as reverse_line
    from reverse_orders
),

reverse_parcels as (
    select
        reverse_orders.account,
        reverse_orders.order_id,
        reverse_orders.return_id,
        reverse_orders.requested_at,
        {{ elements("reverse_order.reverseDeliveries") }} as parcel
    from reverse_orders
),

reverse_items as (
    select
        reverse_parcels.account,
        reverse_parcels.order_id,
        reverse_parcels.return_id,
        reverse_parcels.requested_at,
        parcel.deliverable as delivered_as,
        {{ elements("parcel.reverseDeliveryLineItems") }} as item
    from reverse_parcels
),

line_of as (
    select
        account,
        return_id,
        fulfilment_line_id,
        min(line_id) as line_id
    from return_items
    group by account, return_id, fulfilment_line_id
),

sent_back as (
    select
        reverse_items.account,
        reverse_items.order_id,
        line_of.line_id,
        reverse_items.return_id,
        cast(reverse_items.item.quantity as bigint) as quantity,
        reverse_items.delivered_as.tracking.carrierName as carrier_raw,
        reverse_items.delivered_as.tracking.number as tracking_number,
        'return' as direction,
        coalesce(
            {{ iso_timestamp("reverse_items.delivered_as.label.createdAt") }},
            reverse_items.requested_at
        ) as shipped_at,
        cast(null as varchar) as fulfilment_centre_id
    from reverse_items
    left join reverse_lines
        on
            reverse_items.account = reverse_lines.account
            and reverse_items.return_id = reverse_lines.return_id
            and reverse_items.item.reverseFulfillmentOrderLineItem.id
            = reverse_lines.reverse_line.id
    left join line_of
        on
            reverse_items.account = line_of.account
            and reverse_items.return_id = line_of.return_id
            and line_of.fulfilment_line_id
            = {{ gid_number("reverse_lines.reverse_line.fulfillmentLineItem.id") }}
),

parcels as (
    select * from sent
    union all
    select * from sent_back
),

shipments as (
    select
        'shopify' as connector,
        parcels.account,
        orders.marketplace,
        parcels.order_id,
        parcels.line_id,
        parcels.return_id,
        parcels.quantity,
        parcels.carrier_raw,
        cast(null as varchar) as service_raw,
        parcels.tracking_number,
        parcels.direction,
        parcels.shipped_at,
        cast(null as timestamp) as promised_at,
        cast(null as varchar) as origin,
        case when parcels.direction = 'outbound' then orders.country end as destination,
        parcels.fulfilment_centre_id,
        cast(null as decimal(18, 4)) as label_amount,
        cast(null as varchar) as label_currency
    from parcels
    left join orders
        on parcels.account = orders.account and parcels.order_id = orders.order_id
    where parcels.tracking_number is not null and trim(parcels.tracking_number) <> ''
)

select * from shipments
