-- One row per parcel and order line in it, or per parcel and order where nobody tells the line. A
-- parcel that only a carrier or tracking service tells of belongs to the order that it names, where
-- no other has that name; it holds the whole order if it is the only parcel of it.
with

shipments as (
    select * from {{ ref('int_shipment__unioned') }}
),

parcels as (
    select * from {{ ref('int_parcel__identified') }}
),

told as (
    {{ union_conformed('parcels') }}
),

carriers as (
    select * from {{ ref('base_tracking__carriers') }}
),

order_lines as (
    select * from {{ ref('int_order_line__unioned') }}
),

shipped as (
    select
        parcels.parcel_key,
        shipments.order_key,
        shipments.order_line_key,
        shipments.connector,
        shipments.account,
        shipments.marketplace,
        shipments.direction,
        min(shipments.return_id) as return_id,
        min(shipments.service) as service,
        sum(shipments.quantity) as quantity,
        min(shipments.shipped_at) as shipped_at,
        max(shipments.promised_at) as promised_at,
        min(shipments.origin) as origin,
        min(shipments.destination) as destination,
        min(shipments.fulfilment_centre_id) as fulfilment_centre_id,
        max(shipments.label_amount) as label_amount,
        min(shipments.label_currency) as label_currency
    from shipments
    inner join parcels
        on
            shipments.carrier = parcels.named_carrier
            and shipments.tracking_number = parcels.tracking_number
    where
        shipments.shipped_at between parcels.seen_from and parcels.seen_until
        or (shipments.shipped_at is null and parcels.is_latest)
    group by
        parcels.parcel_key, shipments.order_key, shipments.order_line_key, shipments.connector,
        shipments.account, shipments.marketplace, shipments.direction
),

named_orders as (
    {{ orders_by_name() }}
),

told_orders as (
    select
        parcels.parcel_key,
        named_orders.order_key,
        min(coalesce(told.direction, 'outbound')) as direction,
        min({{ carrier_word("told.service_raw") }}) as service
    from told
    left join carriers on {{ carrier_word("told.carrier_raw") }} = carriers.word
    inner join parcels
        on
            coalesce(carriers.carrier, {{ carrier_word("told.carrier_raw") }}, 'unknown')
            = parcels.named_carrier
            and {{ tracking_number("told.tracking_number") }} = parcels.tracking_number
    inner join named_orders on told.order_ref = named_orders.order_ref
    where
        (
            told.tracking_source = 'file'
            and told.seen_at between parcels.seen_from and parcels.seen_until
        )
        or (told.tracking_source <> 'file' and parcels.is_latest)
    group by parcels.parcel_key, named_orders.order_key
),

without_shipment as (
    select
        told_orders.*,
        count(*) over (partition by told_orders.order_key, told_orders.direction)
            as parcels_of_order
    from told_orders
    left join shipped
        on told_orders.parcel_key = shipped.parcel_key
    where shipped.parcel_key is null
),

sent_orders as (
    select distinct order_key from shipped
),

by_name as (
    select
        without_shipment.parcel_key,
        without_shipment.order_key,
        case when without_shipment.direction <> 'return' then order_lines.order_line_key end
            as order_line_key,
        order_lines.connector,
        order_lines.account,
        order_lines.marketplace,
        without_shipment.direction,
        cast(null as varchar) as return_id,
        coalesce(without_shipment.service, 'unknown') as service,
        case
            when
                without_shipment.direction <> 'return'
                and without_shipment.parcels_of_order = 1
                and sent_orders.order_key is null
                then order_lines.quantity_shipped
        end as quantity,
        case when without_shipment.direction <> 'return' then order_lines.shipped_at end
            as shipped_at,
        cast(null as timestamp) as promised_at,
        cast(null as varchar) as origin,
        case when without_shipment.direction <> 'return' then nullif(order_lines.country, 'ZZ') end
            as destination,
        cast(null as varchar) as fulfilment_centre_id,
        cast(null as decimal(18, 4)) as label_amount,
        cast(null as varchar) as label_currency
    from without_shipment
    inner join order_lines on without_shipment.order_key = order_lines.order_key
    left join sent_orders on without_shipment.order_key = sent_orders.order_key
    qualify
        row_number() over (
            partition by
                without_shipment.parcel_key,
                without_shipment.order_key,
                case
                    when without_shipment.direction <> 'return' then order_lines.order_line_key
                end
            order by order_lines.order_line_key
        ) = 1
),

final as (
    select * from shipped
    union all
    select * from by_name
)

select * from final
