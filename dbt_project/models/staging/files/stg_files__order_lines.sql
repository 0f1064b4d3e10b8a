with

orders as (
    select * from {{ ref('base_files__orders') }}
),

judged as (
    select
        *,
        (
            shipped_at is not null
            or delivered_at is not null
            or status in ('shipped', 'delivered', 'closed', 'completed')
        ) as is_shipped,
        (cancelled_at is not null or status in ('cancelled', 'canceled')) as is_cancelled
    from orders
),

order_lines as (
    select
        connector,
        account,
        coalesce(marketplace, 'unknown') as marketplace,
        order_ref as order_id,
        order_number,
        line_ref as line_id,
        sku,
        'unknown' as listing_id,
        case
            when is_cancelled then 'cancelled'
            when status in ('delivered') then 'delivered'
            when status in ('closed', 'completed') then 'closed'
            when delivered_at is not null then 'delivered'
            when is_shipped then 'shipped'
            else 'open'
        end as order_status,
        quantity as quantity_ordered,
        case when is_cancelled and not is_shipped then quantity else 0 end as quantity_cancelled,
        case when is_shipped then quantity else 0 end as quantity_shipped,
        currency,
        {{ money("unit_price * quantity - coalesce(discount_amount, 0)
            - case when tax_included then tax_amount else 0 end") }} as net_amount,
        tax_amount,
        coalesce(discount_amount, 0) as discount_amount,
        coalesce(shipping_price, 0) as shipping_amount,
        coalesce(country, 'ZZ') as country,
        coalesce(customer_key, 'unknown') as customer_key,
        ordered_at,
        paid_at,
        case when is_cancelled and not is_shipped then cancelled_at end as cancelled_at,
        case when is_cancelled then {{ cancel_reason("cancel_reason") }} end as cancel_reason,
        ship_by_at,
        promised_at,
        case when is_shipped then coalesce(shipped_at, delivered_at, ordered_at) end as shipped_at,
        delivered_at,
        cast(null as date) as estimated_delivery_date,
        'seller' as fulfilled_by,
        'unknown' as fulfilment_centre_id,
        coalesce(payment_method, 'unknown') as payment_method,
        cast(0 as bigint) as is_undelivered_units,
        true as gives_requests,
        true as gives_receipts
    from judged
)

select * from order_lines
