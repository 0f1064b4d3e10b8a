-- One row per ordered line and parcel to the buyer, and per return with a parcel back.
with

sent as (
    select * from {{ ref('base_ebay__shipments') }}
    where tracking_number is not null
),

order_lines as (
    select * from {{ ref('stg_ebay__order_lines') }}
),

returns as (
    select * from {{ ref('base_ebay__returns') }}
    where tracking_number is not null
),

shipments as (
    select
        'ebay' as connector,
        sent.account,
        order_lines.marketplace,
        sent.order_id,
        sent.line_id,
        cast(null as varchar) as return_id,
        cast(sum(sent.quantity) as bigint) as quantity,
        min(sent.carrier) as carrier_raw,
        cast(null as varchar) as service_raw,
        sent.tracking_number,
        'outbound' as direction,
        min(sent.shipped_at) as shipped_at,
        min(order_lines.promised_at) as promised_at,
        cast(null as varchar) as origin,
        min(order_lines.country) as destination,
        cast(null as varchar) as fulfilment_centre_id,
        cast(null as decimal(18, 4)) as label_amount,
        cast(null as varchar) as label_currency
    from sent
    inner join order_lines
        on sent.account = order_lines.account and sent.line_id = order_lines.line_id
    group by
        sent.account, order_lines.marketplace, sent.order_id, sent.line_id, sent.tracking_number
    union all
    select
        'ebay' as connector,
        returns.account,
        coalesce(order_lines.marketplace, 'unknown') as marketplace,
        returns.order_id,
        returns.line_id,
        returns.return_id,
        returns.quantity,
        returns.carrier as carrier_raw,
        cast(null as varchar) as service_raw,
        returns.tracking_number,
        'return' as direction,
        returns.shipped_at,
        cast(null as timestamp) as promised_at,
        order_lines.country as origin,
        cast(null as varchar) as destination,
        cast(null as varchar) as fulfilment_centre_id,
        {{ money("returns.label_amount") }} as label_amount,
        returns.label_currency
    from returns
    left join order_lines
        on returns.account = order_lines.account and returns.line_id = order_lines.line_id
)

select * from shipments
