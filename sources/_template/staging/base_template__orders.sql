with

source as (
    select * from {{ source('raw_template', 'orders') }}
),

lines as (
    select
        _account as account,
        orderId as order_id,
        marketplace,
        status as native_status,
        country,
        currency,
        try_cast(createdAt as timestamptz) at time zone 'UTC' as ordered_at,
        try_cast(shippedAt as timestamptz) at time zone 'UTC' as shipped_at,
        unnest(lines) as line
    from source
),

orders as (
    select
        account,
        order_id,
        marketplace,
        native_status,
        country,
        currency,
        line.lineId as line_id,
        line.sku as sku,
        line.quantity as quantity,
        line.unitPrice as unit_price,
        ordered_at,
        shipped_at
    from lines
)

select * from orders
