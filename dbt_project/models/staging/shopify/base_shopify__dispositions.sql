-- One row per disposition of returned goods; the order to take them back and the parcel that
-- brought them tell the same one.
with

returns as (
    select * from {{ ref('base_shopify__returns') }}
),

reverse_orders as (
    select
        account,
        return_id,
        {{ elements("reverse_orders") }} as reverse_order
    from returns
),

reverse_lines as (
    select
        reverse_orders.account,
        reverse_orders.return_id,
        {{ elements("reverse_order.lineItems") }} as line
    from reverse_orders
),

fulfilment_lines as (
    select
        reverse_lines.account,
        reverse_lines.return_id,
        line.id as reverse_line,
        coalesce({{ gid_number("line.fulfillmentLineItem.id") }}, 'none') as fulfilment_line_id
    from reverse_lines
),

deliveries as (
    select
        reverse_orders.account,
        reverse_orders.return_id,
        {{ elements("reverse_order.reverseDeliveries") }} as delivery
    from reverse_orders
),

delivery_lines as (
    select
        deliveries.account,
        deliveries.return_id,
        {{ elements("delivery.reverseDeliveryLineItems") }} as line
    from deliveries
),

told as (
    select
        reverse_lines.account,
        reverse_lines.return_id,
        reverse_lines.line.id as reverse_line,
        {{ elements("reverse_lines.line.dispositions") }} as disposition
    from reverse_lines
    union all
    select
        delivery_lines.account,
        delivery_lines.return_id,
        delivery_lines.line.reverseFulfillmentOrderLineItem.id as reverse_line,
        {{ elements("delivery_lines.line.dispositions") }} as disposition
    from delivery_lines
),

dispositions as (
    select
        told.account,
        told.return_id,
        {{ gid_number("told.disposition.id") }} as disposition_id,
        coalesce(fulfilment_lines.fulfilment_line_id, 'none') as fulfilment_line_id,
        told.disposition.type as disposition_type,
        cast(coalesce(told.disposition.quantity, 0) as bigint) as quantity,
        {{ iso_timestamp("told.disposition.createdAt") }} as disposed_at
    from told
    left join fulfilment_lines
        on
            told.account = fulfilment_lines.account
            and told.return_id = fulfilment_lines.return_id
            and told.reverse_line = fulfilment_lines.reverse_line
    qualify
        row_number() over (
            partition by told.account, told.disposition.id
            order by coalesce(fulfilment_lines.fulfilment_line_id, 'none')
        ) = 1
)

select * from dispositions
