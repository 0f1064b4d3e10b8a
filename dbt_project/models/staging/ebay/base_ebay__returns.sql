-- One row per return with the ordered line it is about, where that is known: by the transaction,
-- else by the item, which may stand on several lines of an order.
with

source as (
    select * from {{ source('raw_ebay', 'returns') }}
),

lines as (
    select * from {{ ref('base_ebay__lines') }}
),

returns as (
    select
        source._account as account,
        source.returnId as return_id,
        source.orderId as order_ref,
        creationInfo.item.itemId as item_id,
        creationInfo.item.transactionId as transaction_id,
        cast(coalesce(creationInfo.item.returnQuantity, 1) as bigint) as quantity,
        coalesce(source.currentType, creationInfo.type) as return_type,
        source.state as return_state,
        source.status as return_status,
        nullif(trim(creationInfo.reason), '') as reason_raw,
        nullif(trim(creationInfo.comments.content), '') as buyer_comment,
        {{ iso_timestamp("creationInfo.creationDate") }} as requested_at,
        coalesce({{ ebay_money("sellerTotalRefund.actualRefundAmount") }}, 0) as refunded_amount,
        nullif(trim(detail.returnShipmentInfo.shipmentTracking.trackingNumber), '')
            as tracking_number,
        coalesce(
            nullif(trim(detail.returnShipmentInfo.shipmentTracking.carrierEnum), ''),
            nullif(trim(detail.returnShipmentInfo.shipmentTracking.carrierName), '')
        ) as carrier,
        {{ iso_timestamp("detail.returnShipmentInfo.shipmentTracking.actualDeliveryDate") }}
            as delivered_at,
        {{ ebay_money("detail.returnShipmentInfo.shippingLabelCost.totalAmount") }} as label_amount,
        detail.returnShipmentInfo.shippingLabelCost.totalAmount.currency as label_currency,
        detail.responseHistory as activities
    from source
),

activity_parts as (
    select
        account,
        return_id,
        {{ elements("activities") }} as activity
    from returns
),

moments as (
    select
        activity_parts.account,
        activity_parts.return_id,
        min(
            case
                when
                    activity.toState = 'ITEM_DELIVERED'
                    or activity.activity like '%MARK_AS_RECEIVED%'
                    then {{ iso_timestamp("activity.creationDate") }}
            end
        ) as received_at,
        min(
            case
                when activity.toState = 'ITEM_SHIPPED'
                    then {{ iso_timestamp("activity.creationDate") }}
            end
        ) as shipped_at
    from activity_parts
    group by activity_parts.account, activity_parts.return_id
),

matched as (
    select
        returns.account,
        returns.return_id,
        lines.order_id,
        lines.line_id,
        lines.sku
    from returns
    inner join lines
        on
            returns.account = lines.account
            and returns.order_ref in (lines.order_id, lines.legacy_order_id)
            and (
                returns.transaction_id = lines.line_id
                or returns.item_id = lines.item_id
            )
    qualify
        row_number() over (
            partition by returns.account, returns.return_id
            order by
                case when returns.transaction_id = lines.line_id then 0 else 1 end,
                length(lines.line_id), lines.line_id
        ) = 1
),

final as (
    select
        returns.account,
        returns.return_id,
        coalesce(matched.order_id, returns.order_ref) as order_id,
        matched.line_id,
        matched.sku,
        returns.quantity,
        coalesce(returns.return_state = 'REPLACED' or returns.return_type = 'REPLACEMENT', false)
            as is_replacement,
        returns.return_state,
        returns.return_status,
        returns.reason_raw,
        returns.buyer_comment,
        returns.requested_at,
        moments.shipped_at,
        coalesce(returns.delivered_at, moments.received_at) as received_at,
        returns.refunded_amount,
        returns.tracking_number,
        returns.carrier,
        returns.label_amount,
        returns.label_currency
    from returns
    left join matched
        on returns.account = matched.account and returns.return_id = matched.return_id
    left join moments
        on returns.account = moments.account and returns.return_id = moments.return_id
)

select * from final
