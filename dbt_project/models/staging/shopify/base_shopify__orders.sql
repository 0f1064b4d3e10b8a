with

source as (
    select * from {{ source('raw_shopify', 'orders') }}
),

orders as (
    select
        source._account as account,
        'shopify_' || source._account as marketplace,
        {{ gid_number("id") }} as order_id,
        nullif(trim(source.name), '') as order_number,
        coalesce(source.test, false) as is_test,
        coalesce(source.taxesIncluded, false) as taxes_included,
        source.currencyCode as currency,
        source.displayFulfillmentStatus as fulfilment_status,
        source.cancelReason as cancel_reason,
        coalesce(source.customerKey, 'unknown') as customer_key,
        nullif(upper(trim(shippingAddress.countryCodeV2)), '') as country,
        {{ iso_timestamp("coalesce(processedAt, createdAt)") }} as ordered_at,
        {{ iso_timestamp("cancelledAt") }} as cancelled_at,
        {{ iso_timestamp("closedAt") }} as closed_at,
        source.lineItems as line_items,
        source.shippingLines as shipping_lines,
        source.fulfillments
    from source
)

select * from orders
