-- One row per order line and tracking number: what was sent, and what comes back by labels of
-- Walmart, which tells no time of them: they are known from the request for the return on.
with

source as (
    select * from {{ source('raw_walmart', 'returns') }}
),

order_lines as (
    select * from {{ ref('base_walmart__order_lines') }}
),

line_states as (
    select * from {{ ref('base_walmart__line_states') }}
    where tracking_number is not null and status in ('shipped', 'delivered', 'refund')
),

return_lines as (
    select * from {{ ref('base_walmart__return_lines') }}
),

sent as (
    select
        account,
        order_id,
        line_id,
        tracking_number,
        sum(quantity) as quantity,
        max(carrier) as carrier,
        max(method) as method,
        min(shipped_at) as shipped_at
    from line_states
    group by account, order_id, line_id, tracking_number
),

group_parts as (
    select
        source._account as account,
        source.returnOrderId as return_id,
        {{ elements("source.returnLineGroups") }} as line_group
    from source
),

label_parts as (
    select
        group_parts.account,
        group_parts.return_id,
        group_parts.line_group.returnLines as group_lines,
        {{ elements("group_parts.line_group.labels") }} as label
    from group_parts
),

carrier_parts as (
    select
        label_parts.account,
        label_parts.return_id,
        label_parts.group_lines,
        {{ elements("label_parts.label.carrierInfoList") }} as carrier
    from label_parts
),

labelled_lines as (
    select
        account,
        return_id,
        carrier,
        {{ elements("group_lines") }} as group_line
    from carrier_parts
),

labels as (
    select
        labelled_lines.account,
        labelled_lines.return_id,
        cast(labelled_lines.group_line.returnOrderLineNumber as varchar) as line,
        nullif(trim(labelled_lines.carrier.trackingNo), '') as tracking_number,
        max(nullif(trim(labelled_lines.carrier.carrierName), '')) as carrier,
        max(nullif(trim(labelled_lines.carrier.serviceType), '')) as service
    from labelled_lines
    where nullif(trim(labelled_lines.carrier.trackingNo), '') is not null
    group by
        labelled_lines.account,
        labelled_lines.return_id,
        labelled_lines.group_line.returnOrderLineNumber,
        labelled_lines.carrier.trackingNo
),

shipments as (
    select
        'walmart' as connector,
        sent.account,
        order_lines.marketplace,
        sent.order_id,
        sent.line_id,
        cast(null as varchar) as return_id,
        cast(sent.quantity as bigint) as quantity,
        sent.carrier as carrier_raw,
        sent.method as service_raw,
        sent.tracking_number,
        case when order_lines.is_replacement then 'replacement' else 'outbound' end as direction,
        sent.shipped_at,
        order_lines.promised_at,
        cast(null as varchar) as origin,
        order_lines.country as destination,
        order_lines.fulfilment_centre_id,
        cast(null as decimal(18, 4)) as label_amount,
        cast(null as varchar) as label_currency
    from sent
    inner join order_lines
        on
            sent.account = order_lines.account
            and sent.order_id = order_lines.order_id
            and sent.line_id = order_lines.line_id
    union all
    select
        'walmart' as connector,
        labels.account,
        coalesce(order_lines.marketplace, 'unknown') as marketplace,
        return_lines.order_id,
        return_lines.line_id,
        labels.return_id,
        return_lines.quantity,
        labels.carrier as carrier_raw,
        labels.service as service_raw,
        labels.tracking_number,
        'return' as direction,
        return_lines.requested_at as shipped_at,
        cast(null as timestamp) as promised_at,
        order_lines.country as origin,
        cast(null as varchar) as destination,
        cast(null as varchar) as fulfilment_centre_id,
        cast(null as decimal(18, 4)) as label_amount,
        cast(null as varchar) as label_currency
    from labels
    inner join return_lines
        on
            labels.account = return_lines.account
            and labels.return_id = return_lines.return_id
            and labels.line = return_lines.line
    left join order_lines
        on
            return_lines.account = order_lines.account
            and return_lines.order_id = order_lines.order_id
            and return_lines.line_id = order_lines.line_id
    where not return_lines.is_kept
)

select * from shipments
