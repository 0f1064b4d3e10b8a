{{ config(materialized='table') }}

-- One row per order and SKU, from three views of it: the all-orders report (every order, money),
-- the fulfilled-shipments report (what FBA sent and when), the orders API (parcels, cancellations).
with

report as (
    select * from {{ ref('base_amazon__all_orders') }}
),

shipments as (
    select * from {{ ref('base_amazon__fulfilled_shipments') }}
),

settlements as (
    select * from {{ ref('base_amazon__settlements') }}
),

api_orders as (
    select * from {{ ref('base_amazon__orders') }}
),

items as (
    select * from {{ ref('base_amazon__order_items') }}
),

package_items as (
    select * from {{ ref('base_amazon__package_items') }}
),

channels as (
    select
        lower(sales_channel) as sales_channel,
        min(marketplace) as marketplace
    from {{ ref('stg_amazon__marketplaces') }}
    where sales_channel is not null
    group by lower(sales_channel)
),

marketplaces as (
    select * from {{ ref('stg_amazon__marketplaces') }}
),

account_marketplaces as (
    select * from {{ source('settings', 'account_marketplace') }}
),

shipped as (
    select
        account,
        order_id,
        sku,
        cast(sum(quantity) as bigint) as quantity,
        max(sales_channel) as sales_channel,
        max(country) as country,
        max(currency) as currency,
        {{ money("sum(item_price)") }} as item_price,
        {{ money("sum(item_tax)") }} as item_tax,
        {{ money("sum(shipping_price)") }} as shipping_price,
        {{ money("sum(shipping_tax)") }} as shipping_tax,
        {{ money("sum(item_discount)") }} as item_discount,
        {{ money("sum(shipping_discount)") }} as shipping_discount,
        min(purchased_at) as purchased_at,
        min(paid_at) as paid_at,
        min(shipped_at) as shipped_at,
        max(estimated_arrival) as estimated_arrival
    from shipments
    group by account, order_id, sku
),

-- Of an account that lives from downloaded reports there may be no fulfilled-shipments report:
-- the order report then says that a line was shipped, the settlement when it was charged.
accounts_with_shipments as (
    select distinct account from shipments
),

charged as (
    select
        settlements.account,
        settlements.order_id,
        settlements.sku,
        min(settlements.posted_at) as charged_at
    from settlements
    left join accounts_with_shipments on settlements.account = accounts_with_shipments.account
    where
        accounts_with_shipments.account is null
        and lower(settlements.transaction_type) = 'order'
    group by settlements.account, settlements.order_id, settlements.sku
),

first_centre as (
    select
        account,
        order_id,
        sku,
        fulfilment_centre_id
    from shipments
    where fulfilment_centre_id is not null
    qualify row_number() over (
        partition by account, order_id, sku order by shipped_at nulls last, shipment_item_id
    ) = 1
),

api_items as (
    select
        account,
        order_id,
        sku,
        max(asin) as asin,
        cast(sum(quantity_ordered) as bigint) as quantity_ordered,
        -- known only where every item of the SKU tells both counts
        case
            when count(quantity_fulfilled) = count(*) and count(quantity_unfulfilled) = count(*)
                then cast(sum(quantity_fulfilled + quantity_unfulfilled) as bigint)
        end as quantity_not_cancelled,
        max(currency) as currency,
        {{ money("sum(unit_price * quantity_ordered)") }} as item_price,
        max(cancel_reason) as cancel_reason
    from items
    group by account, order_id, sku
),

packed as (
    select
        package_items.account,
        package_items.order_id,
        items.sku,
        cast(coalesce(sum(package_items.quantity) filter (
            where package_items.shipped_at is not null
        ), 0) as bigint) as quantity,
        cast(coalesce(sum(package_items.quantity) filter (
            where package_items.is_undelivered
        ), 0) as bigint) as quantity_undelivered,
        min(package_items.shipped_at) as shipped_at
    from package_items
    inner join items
        on
            package_items.account = items.account
            and package_items.order_id = items.order_id
            and package_items.order_item_id = items.order_item_id
    group by package_items.account, package_items.order_id, items.sku
),

reported_orders as (
    select
        account,
        order_id
    from report
    union
    select
        account,
        order_id
    from shipments
),

order_skus as (
    select
        account,
        order_id,
        sku
    from report
    union
    select
        account,
        order_id,
        sku
    from shipped
    union
    -- the API's items make lines only of orders that no report gives: they may still lack a SKU
    select
        api_items.account,
        api_items.order_id,
        api_items.sku
    from api_items
    left join reported_orders
        on
            api_items.account = reported_orders.account
            and api_items.order_id = reported_orders.order_id
    where reported_orders.order_id is null
),

joined as (
    select
        order_skus.account,
        order_skus.order_id,
        order_skus.sku,
        report.merchant_order_id,
        coalesce(report.asin, api_items.asin) as asin,
        coalesce(
            report_channel.marketplace, shipment_channel.marketplace, by_id.marketplace, 'unknown'
        ) as marketplace,
        coalesce(report.country, shipped.country, api_orders.country, 'ZZ') as country,
        coalesce(report.currency, api_items.currency, shipped.currency) as currency,
        report.order_id is not null as is_reported,
        case
            when
                report.order_id is not null
                and (api_orders.updated_at is null or report.updated_at >= api_orders.updated_at)
                then upper(replace(report.order_status, ' ', ''))
            else coalesce(
                replace(api_orders.fulfilment_status, '_', ''),
                case when shipped.order_id is not null then 'SHIPPED' end
            )
        end as status_word,
        upper(report.item_status) as item_status,
        greatest(report.updated_at, api_orders.updated_at) as updated_at,
        case
            when upper(report.fulfillment_channel) in ('AMAZON', 'AFN') then 'marketplace'
            when upper(report.fulfillment_channel) in ('MERCHANT', 'MFN') then 'seller'
            when shipped.order_id is not null or api_orders.fulfilled_by = 'AMAZON'
                then 'marketplace'
            else 'seller'
        end as fulfilled_by,
        report.quantity as report_quantity,
        case
            when accounts_with_shipments.account is null then report.quantity_kept
        end as quantity_kept,
        api_items.quantity_ordered as api_quantity,
        api_items.quantity_not_cancelled,
        case
            when accounts_with_shipments.account is not null then coalesce(shipped.quantity, 0)
        end as fba_quantity,
        packed.quantity as packed_quantity,
        packed.quantity_undelivered,
        coalesce(report.item_price, case when report.order_id is null then api_items.item_price end)
            as report_price,
        shipped.item_price as shipment_price,
        coalesce(report.item_tax, shipped.item_tax, 0) as item_tax,
        coalesce(report.item_discount, shipped.item_discount, 0) as item_discount,
        coalesce(report.shipping_price, shipped.shipping_price) as shipping_price,
        coalesce(report.shipping_tax, shipped.shipping_tax, 0) as shipping_tax,
        coalesce(report.shipping_discount, shipped.shipping_discount, 0) as shipping_discount,
        api_items.cancel_reason,
        coalesce(report.purchased_at, api_orders.created_at, shipped.purchased_at) as ordered_at,
        shipped.paid_at,
        shipped.shipped_at as fba_shipped_at,
        charged.charged_at,
        packed.shipped_at as packed_shipped_at,
        shipped.estimated_arrival,
        first_centre.fulfilment_centre_id,
        api_orders.ship_by_at,
        api_orders.deliver_by_at
    from order_skus
    left join report
        on
            order_skus.account = report.account
            and order_skus.order_id = report.order_id
            and order_skus.sku = report.sku
    left join shipped
        on
            order_skus.account = shipped.account
            and order_skus.order_id = shipped.order_id
            and order_skus.sku = shipped.sku
    left join accounts_with_shipments
        on order_skus.account = accounts_with_shipments.account
    left join charged
        on
            order_skus.account = charged.account
            and order_skus.order_id = charged.order_id
            and order_skus.sku = charged.sku
    left join first_centre
        on
            order_skus.account = first_centre.account
            and order_skus.order_id = first_centre.order_id
            and order_skus.sku = first_centre.sku
    left join api_orders
        on
            order_skus.account = api_orders.account
            and order_skus.order_id = api_orders.order_id
    left join api_items
        on
            order_skus.account = api_items.account
            and order_skus.order_id = api_items.order_id
            and order_skus.sku = api_items.sku
    left join packed
        on
            order_skus.account = packed.account
            and order_skus.order_id = packed.order_id
            and order_skus.sku = packed.sku
    left join channels as report_channel
        on lower(report.sales_channel) = report_channel.sales_channel
    left join channels as shipment_channel
        on lower(shipped.sales_channel) = shipment_channel.sales_channel
    left join marketplaces as by_id on api_orders.marketplace_id = by_id.marketplace_id
),

-- the XML form of the returns of sellers who ship themselves does not tell their receipt
xml_accounts as (
    select distinct account
    from {{ ref('base_amazon__mfn_returns') }}
    where report_form = 'xml'
),

placed as (
    select
        joined.*,
        coalesce(
            account_marketplaces.prices_include_tax, marketplaces.prices_include_tax, false
        ) as prices_include_tax,
        coalesce(marketplaces.time_zone, 'UTC') as time_zone,
        case
            when
                joined.status_word in (
                    'PENDING', 'PENDINGAVAILABILITY', 'UNSHIPPED', 'PARTIALLYSHIPPED'
                )
                then 'open'
            when joined.status_word in ('SHIPPED', 'SHIPPING', 'INVOICEUNCONFIRMED') then 'shipped'
            when joined.status_word = 'SHIPPED-DELIVEREDTOBUYER' then 'delivered'
            when joined.status_word in ('CANCELLED', 'CANCELED') then 'cancelled'
            when joined.status_word is null then 'open'
            else 'closed'
        end as order_status,
        xml_accounts.account is null as has_return_receipts
    from joined
    left join marketplaces on joined.marketplace = marketplaces.marketplace
    left join account_marketplaces
        on
            joined.account = account_marketplaces.account
            and joined.marketplace = account_marketplaces.marketplace
    left join xml_accounts on joined.account = xml_accounts.account
),

shipped_units as (
    select
        *,
        case
            when fulfilled_by = 'marketplace' and fba_quantity is not null then fba_quantity
            when packed_quantity is not null then packed_quantity
            when order_status in ('shipped', 'delivered', 'closed')
                then coalesce(
                    quantity_not_cancelled, quantity_kept, report_quantity, api_quantity, 0
                )
            else 0
        end as quantity_shipped,
        case
            when fulfilled_by = 'marketplace' and fba_quantity is not null then fba_shipped_at
            when packed_quantity is not null then packed_shipped_at
            when order_status in ('shipped', 'delivered', 'closed')
                then coalesce(charged_at, updated_at)
        end as shipped_at
    from placed
),

counted as (
    select
        *,
        greatest(coalesce(report_quantity, 0), coalesce(api_quantity, 0), quantity_shipped)
            as quantity_ordered
    from shipped_units
),

cancelled as (
    select
        *,
        case
            when order_status = 'cancelled' or item_status in ('CANCELLED', 'CANCELED')
                then quantity_ordered - quantity_shipped
            when quantity_not_cancelled is not null and api_quantity is not null
                then greatest(
                    least(
                        api_quantity - quantity_not_cancelled, quantity_ordered - quantity_shipped
                    ),
                    0
                )
            when quantity_kept is not null
                then greatest(quantity_ordered - greatest(quantity_kept, quantity_shipped), 0)
            else 0
        end as quantity_cancelled
    from counted
),

order_lines as (
    select
        'amazon' as connector,
        account,
        marketplace,
        order_id,
        coalesce(nullif(trim(merchant_order_id), ''), order_id) as order_number,
        sku as line_id,
        sku,
        coalesce(asin, 'unknown') as listing_id,
        order_status,
        cast(quantity_ordered as bigint) as quantity_ordered,
        cast(quantity_cancelled as bigint) as quantity_cancelled,
        cast(quantity_shipped as bigint) as quantity_shipped,
        coalesce(currency, 'unknown') as currency,
        {{ money("coalesce(report_price, shipment_price) - item_discount
            - case when prices_include_tax then item_tax else 0 end") }} as net_amount,
        case
            when coalesce(report_price, shipment_price) is not null then item_tax
        end as tax_amount,
        case
            when coalesce(report_price, shipment_price) is not null then item_discount
        end as discount_amount,
        {{ money("coalesce(shipping_price, case
            when coalesce(report_price, shipment_price) is not null then 0 end) - shipping_discount
            - case when prices_include_tax then shipping_tax else 0 end") }} as shipping_amount,
        country,
        'unknown' as customer_key,
        ordered_at,
        paid_at,
        case
            -- of a line cancelled within an order that went on, no source tells when
            when order_status = 'cancelled' and quantity_cancelled > 0 then updated_at
        end as cancelled_at,
        case when quantity_cancelled > 0 then {{ cancel_reason("cancel_reason") }} end
            as cancel_reason,
        ship_by_at,
        deliver_by_at as promised_at,
        case when quantity_shipped > 0 then shipped_at end as shipped_at,
        cast(null as timestamp) as delivered_at,
        case
            when quantity_shipped > 0 and length(estimated_arrival) = 10
                then try_cast(estimated_arrival as date)
            when quantity_shipped > 0
                then {{ local_date(iso_timestamp("estimated_arrival"), "time_zone") }}
        end as estimated_delivery_date,
        fulfilled_by,
        coalesce(fulfilment_centre_id, 'unknown') as fulfilment_centre_id,
        'unknown' as payment_method,
        cast(least(coalesce(quantity_undelivered, 0), quantity_shipped) as bigint)
            as is_undelivered_units,
        fulfilled_by <> 'marketplace' as gives_requests,
        fulfilled_by = 'marketplace' or has_return_receipts as gives_receipts
    from cancelled
)

select * from order_lines
