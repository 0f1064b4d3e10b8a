-- One row per line of a return, with the moments of its events and the charges of one unit.
with

source as (
    select * from {{ source('raw_walmart', 'returns') }}
),

returns as (
    select
        source._account as account,
        source.returnOrderId as return_id,
        {{ iso_timestamp("returnOrderDate") }} as requested_at,
        source.totalRefundAmount.currencyAmount as total_refund,
        source.totalRefundAmount.currencyUnit as total_currency,
        {{ elements("returnOrderLines") }} as line
    from source
),

numbered as (
    select
        returns.*,
        coalesce(cast(returns.line.returnOrderLineNumber as varchar), '1') as line_no
    from returns
),

event_parts as (
    select
        numbered.account,
        numbered.return_id,
        numbered.line_no,
        {{ elements("numbered.line.returnTrackingDetail") }} as event
    from numbered
),

events as (
    select
        event_parts.account,
        event_parts.return_id,
        event_parts.line_no,
        upper(trim(event_parts.event.eventTag)) as tag,
        {{ iso_timestamp("event_parts.event.eventTime") }} as happened_at
    from event_parts
),

moments as (
    select
        account,
        return_id,
        line_no,
        min(case
            when tag in ('DELIVERED_AT_RETURN_CENTER', 'DELIVERED_AFTER_INVOICE') then happened_at
        end) as received_at,
        min(case when tag = 'REFUND_ISSUED' then happened_at end) as issued_at,
        min(case when tag = 'REFUND_INITIATED' then happened_at end) as initiated_at,
        max(case when tag = 'RETURN_CANCELLED' then 1 else 0 end) as cancelled,
        max(case when tag = 'RETURN_IN_TRANSIT' then 1 else 0 end) as in_transit
    from events
    group by account, return_id, line_no
),

charge_parts as (
    select
        numbered.account,
        numbered.return_id,
        numbered.line_no,
        {{ elements("numbered.line.charges") }} as charge
    from numbered
),

unit_charges as (
    select
        charge_parts.account,
        charge_parts.return_id,
        charge_parts.line_no,
        upper(coalesce(charge_parts.charge.chargeCategory, 'PRODUCT')) as category,
        charge_parts.charge.chargePerUnit.currencyUnit as currency,
        case when coalesce(charge_parts.charge.isDiscount, false) then -1 else 1 end as sign,
        charge_parts.charge.chargePerUnit.currencyAmount as amount,
        charge_parts.charge.tax as taxes
    from charge_parts
    where coalesce(charge_parts.charge.isBillable, true)
),

tax_parts as (
    select
        account,
        return_id,
        line_no,
        sign,
        {{ elements("taxes") }} as tax
    from unit_charges
),

unit_taxes as (
    select
        tax_parts.account,
        tax_parts.return_id,
        tax_parts.line_no,
        sum(tax_parts.sign * abs(tax_parts.tax.taxPerUnit.currencyAmount)) as tax
    from tax_parts
    group by tax_parts.account, tax_parts.return_id, tax_parts.line_no
),

units as (
    select
        account,
        return_id,
        line_no,
        max(currency) as currency,
        sum(case when category <> 'SHIPPING' then sign * abs(amount) else 0 end) as goods,
        sum(case when category = 'SHIPPING' then sign * abs(amount) else 0 end) as shipping
    from unit_charges
    group by account, return_id, line_no
),

joined as (
    select
        numbered.*,
        moments.received_at as told_received_at,
        moments.issued_at,
        moments.initiated_at,
        coalesce(moments.in_transit, 0) = 1 as is_in_transit,
        coalesce(moments.cancelled, 0) = 1
        or upper(numbered.line.status) in ('CANCELLED', 'CANCELED')
        or nullif(trim(numbered.line.returnCancellationReason), '') is not null as is_cancelled,
        coalesce(numbered.line.isKeepIt, false)
        or not coalesce(numbered.line.returnExpectedFlag, true) as is_kept,
        upper(numbered.line.status) as status,
        {{ iso_timestamp("numbered.line.statusTime") }} as status_at,
        coalesce(units.currency, numbered.total_currency) as currency,
        coalesce(units.goods, 0) as unit_goods,
        coalesce(units.shipping, 0) as unit_shipping,
        coalesce(unit_taxes.tax, 0) as unit_tax,
        greatest(
            cast(coalesce(numbered.line.quantity.measurementValue, 1) as bigint), 0
        ) as quantity
    from numbered
    left join moments
        on
            numbered.account = moments.account
            and numbered.return_id = moments.return_id
            and numbered.line_no = moments.line_no
    left join units
        on
            numbered.account = units.account
            and numbered.return_id = units.return_id
            and numbered.line_no = units.line_no
    left join unit_taxes
        on
            numbered.account = unit_taxes.account
            and numbered.return_id = unit_taxes.return_id
            and numbered.line_no = unit_taxes.line_no
),

return_lines as (
    select
        joined.account,
        joined.return_id,
        joined.line_no as line,
        joined.line.purchaseOrderId as order_id,
        cast(joined.line.purchaseOrderLineNumber as varchar) as line_id,
        nullif(joined.line.item.sku, '') as sku,
        joined.quantity,
        joined.is_kept,
        joined.is_cancelled,
        joined.is_in_transit,
        joined.status,
        joined.requested_at,
        case
            when joined.is_kept then null
            when joined.told_received_at is not null then joined.told_received_at
            when
                joined.status = 'DELIVERED'
                or upper(joined.line.currentDeliveryStatus) = 'DELIVERED'
                then joined.status_at
        end as received_at,
        coalesce(joined.issued_at, joined.initiated_at, joined.status_at) as refunded_at,
        case
            when coalesce(joined.line.refundedQty, 0) > 0
                then least(cast(joined.line.refundedQty as bigint), joined.quantity)
            when
                joined.issued_at is not null
                or upper(joined.line.currentRefundStatus) in ('REFUND_COMPLETED', 'REFUNDED')
                then joined.quantity
            else 0
        end as refunded_quantity,
        nullif(trim(joined.line.returnReason), '') as reason_raw,
        coalesce(joined.currency, 'unknown') as currency,
        joined.unit_goods,
        joined.unit_shipping,
        joined.unit_tax,
        joined.total_refund,
        joined.line.chargeTotals as charge_totals
    from joined
)

select * from return_lines
