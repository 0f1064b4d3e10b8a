with

source as (
    select * from {{ source('raw_files', 'orders') }}
),

orders as (
    select
        {{ file_channel_columns() }},
        order_ref,
        coalesce(order_number, order_ref) as order_number,
        line_ref,
        sku,
        upper(country) as country,
        cast(quantity as bigint) as quantity,
        unit_price,
        currency,
        tax_amount,
        coalesce(tax_included, false) as tax_included,
        shipping_price,
        discount_amount,
        lower(status) as status,
        cancel_reason,
        lower(payment_method) as payment_method,
        customer_ref as customer_key,
        coalesce(is_replacement, false) as is_replacement,
        replaces_order_ref,
        carrier,
        carrier_service,
        tracking_number,
        ordered_at,
        paid_at,
        ship_by_at,
        shipped_at,
        promised_at,
        delivered_at,
        cancelled_at
    from source
)

select * from orders
