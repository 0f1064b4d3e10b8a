with

source as (
    select * from {{ source('raw_amazon', 'fulfilled_shipments') }}
),

shipment_items as (
    select
        _account as account,
        amazon_order_id as order_id,
        coalesce(nullif(trim(sku), ''), 'unknown') as sku,
        shipment_item_id,
        nullif(trim(fulfillment_center_id), '') as fulfilment_centre_id,
        sales_channel,
        carrier,
        tracking_number,
        nullif(upper(trim(ship_country)), '') as country,
        cast(nullif(trim(quantity_shipped), '') as bigint) as quantity,
        nullif(trim(currency), '') as currency,
        {{ money("nullif(trim(item_price), '')") }} as item_price,
        {{ money("coalesce(nullif(trim(item_tax), ''), '0')") }} as item_tax,
        {{ money("nullif(trim(shipping_price), '')") }} as shipping_price,
        {{ money("coalesce(nullif(trim(shipping_tax), ''), '0')") }} as shipping_tax,
        abs({{ money("coalesce(nullif(trim(item_promotion_discount), ''), '0')") }})
            as item_discount,
        abs({{ money("coalesce(nullif(trim(ship_promotion_discount), ''), '0')") }})
            as shipping_discount,
        {{ iso_timestamp("purchase_date") }} as purchased_at,
        {{ iso_timestamp("payments_date") }} as paid_at,
        {{ iso_timestamp("shipment_date") }} as shipped_at,
        estimated_arrival_date as estimated_arrival
    from source
)

select * from shipment_items
