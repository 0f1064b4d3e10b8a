-- One row per line of an order. eBay does not tell the delivery; its estimate is the promise.
with

orders as (
    select * from {{ ref('base_ebay__orders') }}
),

lines as (
    select * from {{ ref('base_ebay__lines') }}
),

shipped as (
    select
        account,
        line_id,
        sum(quantity) as quantity,
        min(shipped_at) as shipped_at
    from {{ ref('base_ebay__shipments') }}
    group by account, line_id
),

payment_parts as (
    select
        account,
        order_id,
        {{ elements("order_payments") }} as payment
    from orders
),

paid as (
    select
        payment_parts.account,
        payment_parts.order_id,
        min({{ iso_timestamp("payment.paymentDate") }}) as paid_at
    from payment_parts
    group by payment_parts.account, payment_parts.order_id
),

request_parts as (
    select
        account,
        order_id,
        {{ elements("cancel_requests") }} as request
    from orders
),

cancel_requests as (
    select
        request_parts.account,
        request_parts.order_id,
        max({{ iso_timestamp("request.cancelCompletedDate") }}) as completed_at,
        max(request.cancelReason) as cancel_reason
    from request_parts
    group by request_parts.account, request_parts.order_id
),

instruction_parts as (
    select
        account,
        order_id,
        {{ elements("start_instructions") }} as instruction
    from orders
),

destinations as (
    select
        instruction_parts.account,
        instruction_parts.order_id,
        max(nullif(upper(trim(coalesce(
            instruction.shippingStep.shipTo.contactAddress.countryCode,
            instruction.finalDestinationAddress.countryCode
        ))), '')) as country,
        max({{ iso_timestamp("instruction.maxEstimatedDeliveryDate") }}) as estimated_at
    from instruction_parts
    group by instruction_parts.account, instruction_parts.order_id
),

joined as (
    select
        lines.*,
        orders.is_cancelled,
        orders.customer_key,
        orders.ordered_at,
        paid.paid_at,
        coalesce(orders.cancelled_at, cancel_requests.completed_at, orders.updated_at)
            as cancelled_at,
        cancel_requests.cancel_reason,
        destinations.country,
        coalesce(lines.estimated_at, destinations.estimated_at) as promised_at,
        least(coalesce(shipped.quantity, 0), lines.quantity) as quantity_shipped,
        shipped.shipped_at,
        orders.fulfilment_status = 'FULFILLED' as is_fulfilled
    from lines
    inner join orders on lines.account = orders.account and lines.order_id = orders.order_id
    left join shipped on lines.account = shipped.account and lines.line_id = shipped.line_id
    left join paid on lines.account = paid.account and lines.order_id = paid.order_id
    left join cancel_requests
        on
            lines.account = cancel_requests.account
            and lines.order_id = cancel_requests.order_id
    left join destinations
        on lines.account = destinations.account and lines.order_id = destinations.order_id
),

order_lines as (
    select
        'ebay' as connector,
        account,
        marketplace,
        order_id,
        order_id as order_number,
        line_id,
        sku,
        coalesce(item_id, 'unknown') as listing_id,
        case
            when is_cancelled then 'cancelled'
            when is_fulfilled then 'shipped'
            else 'open'
        end as order_status,
        quantity as quantity_ordered,
        cast(case when is_cancelled then quantity - quantity_shipped else 0 end as bigint)
            as quantity_cancelled,
        cast(quantity_shipped as bigint) as quantity_shipped,
        coalesce(currency, 'unknown') as currency,
        net_amount,
        tax_amount,
        discount_amount,
        shipping_amount,
        coalesce(country, 'ZZ') as country,
        customer_key,
        ordered_at,
        paid_at,
        case when is_cancelled and quantity > quantity_shipped then cancelled_at end
            as cancelled_at,
        case
            when is_cancelled and quantity > quantity_shipped
                then {{ cancel_reason("cancel_reason") }}
        end as cancel_reason,
        ship_by_at,
        promised_at,
        case when quantity_shipped > 0 then shipped_at end as shipped_at,
        cast(null as timestamp) as delivered_at,
        case when quantity_shipped > 0 then {{ local_date("promised_at", "time_zone") }} end
            as estimated_delivery_date,
        'seller' as fulfilled_by,
        'unknown' as fulfilment_centre_id,
        'unknown' as payment_method,
        cast(0 as bigint) as is_undelivered_units,
        true as gives_requests,
        true as gives_receipts
    from joined
)

select * from order_lines
