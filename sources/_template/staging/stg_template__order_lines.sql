with

orders as (
    select * from {{ ref('base_template__orders') }}
),

order_lines as (
    select
        'template' as connector,
        account,
        marketplace,
        order_id,
        order_id as order_number,
        line_id,
        sku,
        'unknown' as listing_id,
        case when shipped_at is not null then 'shipped' else 'open' end as order_status,
        quantity as quantity_ordered,
        cast(0 as bigint) as quantity_cancelled,
        case when shipped_at is not null then quantity else 0 end as quantity_shipped,
        currency,
        cast(unit_price * quantity as decimal(18, 4)) as net_amount,
        cast(0 as decimal(18, 4)) as tax_amount,
        cast(0 as decimal(18, 4)) as discount_amount,
        cast(0 as decimal(18, 4)) as shipping_amount,
        coalesce(country, 'ZZ') as country,
        'unknown' as customer_key,
        ordered_at,
        ordered_at as paid_at,
        cast(null as timestamp) as cancelled_at,
        cast(null as varchar) as cancel_reason,
        cast(null as timestamp) as ship_by_at,
        cast(null as timestamp) as promised_at,
        shipped_at,
        cast(null as timestamp) as delivered_at,
        cast(null as date) as estimated_delivery_date,
        'seller' as fulfilled_by,
        'unknown' as fulfilment_centre_id,
        'unknown' as payment_method,
        cast(0 as bigint) as is_undelivered_units,
        true as gives_requests,
        true as gives_receipts
    from orders
)

select * from order_lines
