-- One row per order line and parcel of Amazon: sent by its centres, sent by the seller, sent back
-- to the seller.
with

fba as (
    select * from {{ ref('base_amazon__fulfilled_shipments') }}
),

package_items as (
    select * from {{ ref('base_amazon__package_items') }}
),

order_items as (
    select
        account,
        order_id,
        order_item_id,
        min(sku) as sku
    from {{ ref('base_amazon__order_items') }}
    group by account, order_id, order_item_id
),

seller_returns as (
    select * from {{ ref('base_amazon__mfn_returns') }}
),

sent as (
    select
        account,
        order_id,
        sku as line_id,
        cast(null as varchar) as return_id,
        quantity,
        carrier as carrier_raw,
        cast(null as varchar) as service_raw,
        tracking_number,
        'outbound' as direction,
        shipped_at,
        country as destination,
        fulfilment_centre_id,
        cast(null as decimal(18, 4)) as label_amount,
        cast(null as varchar) as label_currency
    from fba
    union all
    select
        package_items.account,
        package_items.order_id,
        order_items.sku as line_id,
        cast(null as varchar) as return_id,
        package_items.quantity,
        package_items.carrier as carrier_raw,
        package_items.service as service_raw,
        package_items.tracking_number,
        'outbound' as direction,
        package_items.shipped_at,
        cast(null as varchar) as destination,
        cast(null as varchar) as fulfilment_centre_id,
        cast(null as decimal(18, 4)) as label_amount,
        cast(null as varchar) as label_currency
    from package_items
    left join order_items
        on
            package_items.account = order_items.account
            and package_items.order_id = order_items.order_id
            and package_items.order_item_id = order_items.order_item_id
    union all
    select
        account,
        order_id,
        sku as line_id,
        return_id,
        quantity,
        return_carrier as carrier_raw,
        cast(null as varchar) as service_raw,
        tracking_id as tracking_number,
        'return' as direction,
        requested_at as shipped_at,
        cast(null as varchar) as destination,
        cast(null as varchar) as fulfilment_centre_id,
        label_cost as label_amount,
        currency as label_currency
    from seller_returns
),

shipments as (
    select
        'amazon' as connector,
        account,
        cast(null as varchar) as marketplace,
        order_id,
        line_id,
        return_id,
        quantity,
        carrier_raw,
        service_raw,
        tracking_number,
        direction,
        shipped_at,
        cast(null as timestamp) as promised_at,
        cast(null as varchar) as origin,
        destination,
        fulfilment_centre_id,
        label_amount,
        label_currency
    from sent
    where tracking_number is not null and trim(tracking_number) <> ''
)

select * from shipments
