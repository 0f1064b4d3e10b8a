-- One row per order line of a file that names the number of its parcel.
with

orders as (
    select * from {{ ref('base_files__orders') }}
),

shipments as (
    select
        connector,
        account,
        coalesce(marketplace, 'unknown') as marketplace,
        order_ref as order_id,
        line_ref as line_id,
        cast(null as varchar) as return_id,
        quantity,
        carrier as carrier_raw,
        carrier_service as service_raw,
        tracking_number,
        'outbound' as direction,
        shipped_at,
        promised_at,
        cast(null as varchar) as origin,
        country as destination,
        cast(null as varchar) as fulfilment_centre_id,
        cast(null as decimal(18, 4)) as label_amount,
        cast(null as varchar) as label_currency
    from orders
    where tracking_number is not null
)

select * from shipments
