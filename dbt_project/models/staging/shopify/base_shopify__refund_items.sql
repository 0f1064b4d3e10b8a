-- One row per refund and order line, units cancelled before shipping apart from the others.
with

refunds as (
    select * from {{ ref('base_shopify__refunds') }}
),

items as (
    select
        account,
        refund_id,
        order_id,
        return_id,
        refunded_at,
        is_done,
        {{ elements("refund_items") }} as item
    from refunds
),

named as (
    select
        items.account,
        items.refund_id,
        items.order_id,
        items.return_id,
        items.refunded_at,
        items.is_done,
        {{ gid_number("item.lineItem.id") }} as line_id,
        coalesce(item.restockType = 'CANCEL', false) as is_cancel,
        coalesce(item.restockType in ('RETURN', 'LEGACY_RESTOCK'), false) as is_restocked,
        coalesce(item.quantity, 0) as quantity,
        coalesce({{ shop_money("item.subtotalSet") }}, 0) as subtotal,
        coalesce({{ shop_money("item.totalTaxSet") }}, 0) as tax
    from items
    where item.lineItem.id is not null
),

refund_items as (
    select
        account,
        refund_id,
        order_id,
        return_id,
        line_id,
        is_cancel,
        is_done,
        refunded_at,
        bool_or(is_restocked) as is_restocked,
        cast(sum(quantity) as bigint) as quantity,
        {{ money("sum(subtotal)") }} as subtotal,
        {{ money("sum(tax)") }} as tax
    from named
    group by account, refund_id, order_id, return_id, line_id, is_cancel, is_done, refunded_at
)

select * from refund_items
