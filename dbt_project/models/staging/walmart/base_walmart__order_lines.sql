-- One row per line of a purchase order.
with

source as (
    select * from {{ source('raw_walmart', 'orders') }}
),

stores as (
    select * from {{ source('settings', 'account_marketplace') }}
    where connector = 'walmart'
),

marketplaces as (
    select * from {{ ref('stg_walmart__marketplaces') }}
),

lines as (
    select
        source._account as account,
        source.purchaseOrderId as order_id,
        nullif(trim(source.customerOrderId), '') as customer_order_id,
        nullif(trim(source.originalCustomerOrderID), '') as original_customer_order_id,
        coalesce(upper(trim(source.orderType)) = 'REPLACEMENT', false) as is_replacement,
        lower(coalesce(shipNode.type, 'SellerFulfilled')) as ship_node,
        coalesce(nullif(trim(shipNode.name), ''), nullif(trim(shipNode.id), ''))
            as fulfilment_centre_id,
        upper(trim(shippingInfo.postalAddress.country)) as country_code,
        shippingInfo.methodCode as method,
        {{ epoch_ms_timestamp("source.orderDate") }} as ordered_at,
        {{ epoch_ms_timestamp("shippingInfo.estimatedShipDate") }} as ship_by_at,
        {{ epoch_ms_timestamp("shippingInfo.estimatedDeliveryDate") }} as promised_at,
        {{ elements("orderLines.orderLine") }} as line
    from source
),

order_lines as (
    select
        lines.account,
        coalesce(stores.marketplace, 'unknown') as marketplace,
        lines.order_id,
        coalesce(lines.customer_order_id, lines.order_id) as customer_order_id,
        lines.original_customer_order_id,
        lines.is_replacement,
        lines.ship_node,
        coalesce(lines.fulfilment_centre_id, 'unknown') as fulfilment_centre_id,
        case
            when lines.country_code in ('USA', 'UNITED STATES') then 'US'
            when lines.country_code in ('CAN', 'CANADA') then 'CA'
            when lines.country_code in ('MEX', 'MEXICO') then 'MX'
            when lines.country_code in ('CHL', 'CHILE') then 'CL'
            when lines.country_code = 'PRI' then 'PR'
            when length(lines.country_code) = 2 then lines.country_code
            else 'ZZ'
        end as country,
        lines.ordered_at,
        lines.ship_by_at,
        lines.promised_at,
        coalesce(nullif(trim(lines.line.lineNumber), ''), '1') as line_id,
        coalesce(nullif(lines.line.item.sku, ''), 'unknown') as sku,
        coalesce(
            cast(try_cast(lines.line.orderLineQuantity.amount as decimal(18, 4)) as bigint), 0
        ) as quantity,
        {{ epoch_ms_timestamp("lines.line.statusDate") }} as status_at,
        coalesce(nullif(trim(lines.line.originalCarrierMethod), ''), lines.method) as method,
        coalesce(stores.prices_include_tax, marketplaces.prices_include_tax, false)
            as prices_include_tax,
        coalesce(stores.time_zone, marketplaces.time_zone, 'UTC') as time_zone,
        lines.line.charges.charge as charges,
        lines.line.orderLineStatuses.orderLineStatus as statuses,
        lines.line.refund.refundId as refund_id,
        lines.line.refund.refundCharges.refundCharge as refund_charges
    from lines
    left join stores on lines.account = stores.account
    left join marketplaces on stores.marketplace = marketplaces.marketplace
),

-- a line number given twice within an order names one line
named_once as (
    select *
    from order_lines
    qualify
        row_number() over (partition by account, order_id, line_id order by status_at desc) = 1
)

select * from named_once
