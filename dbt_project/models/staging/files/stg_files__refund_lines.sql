with

refunds as (
    select * from {{ ref('base_files__refunds') }}
),

goods as (
    select
        *,
        {{ money("amount - case when tax_included then tax_amount else 0 end") }} as goods_amount
    from refunds
),

refund_lines as (
    select
        connector,
        account,
        refund_ref as refund_id,
        coalesce(line_ref, sku, '1') as line,
        order_ref as order_id,
        line_ref as line_id,
        sku,
        return_ref as return_id,
        refunded_at,
        currency,
        {{ money("goods_amount + coalesce(shipping_amount, 0)") }} as net_amount,
        tax_amount,
        coalesce(shipping_amount, 0) as shipping_amount,
        {{ refund_kind("kind") }} as native_kind,
        case
            when refund_method in (
                'original_payment', 'store_credit', 'gift_card', 'marketplace_balance'
            ) then refund_method
            else 'unknown'
        end as refund_method,
        quantity as units,
        is_returnless,
        'file' as amount_source,
        goods_amount
    from goods
)

select * from refund_lines
