-- One row per adjustment (or posting) of an order and SKU. Settlements say what was paid back;
-- which part is goods, shipping and tax stands in the type and description of each amount.
with

settlement_rows as (
    select * from {{ ref('base_amazon__settlements') }}
    where
        lower(transaction_type) like '%refund%'
        and amount_type in ('ItemPrice', 'Promotion')
        and order_id is not null
),

parts as (
    select
        account,
        order_id,
        coalesce(sku, 'unknown') as sku,
        coalesce(
            adjustment_id,
            settlement_id || '-' || order_id || '-'
            || coalesce({{ compact_time("posted_at") }}, '')
        ) as refund_id,
        transaction_type,
        currency,
        posted_at,
        -amount as paid_back,
        amount_description like '%Tax%' as is_tax,
        amount_description like '%Shipping%' and amount_description <> 'ReturnShipping'
            as is_shipping,
        amount_description = 'Principal' as is_goods
    from settlement_rows
),

refund_lines as (
    select
        'amazon' as connector,
        account,
        refund_id,
        sku as line,
        order_id,
        sku as line_id,
        sku,
        cast(null as varchar) as return_id,
        min(posted_at) as refunded_at,
        max(currency) as currency,
        {{ money("coalesce(sum(paid_back) filter (where not is_tax), 0)") }} as net_amount,
        {{ money("coalesce(sum(paid_back) filter (where is_tax), 0)") }} as tax_amount,
        {{ money("coalesce(sum(paid_back) filter (where is_shipping and not is_tax), 0)") }}
            as shipping_amount,
        case
            when
                lower(min(transaction_type)) like '%guarantee%'
                or lower(min(transaction_type)) like '%a-to-z%' then 'guarantee_claim'
            when lower(min(transaction_type)) like '%chargeback%' then 'chargeback'
        end as native_kind,
        'original_payment' as refund_method,
        cast(null as bigint) as units,
        cast(null as boolean) as is_returnless,
        'settlement' as amount_source,
        {{ money("coalesce(sum(paid_back) filter (where is_goods), 0)") }} as goods_amount
    from parts
    group by account, refund_id, order_id, sku
)

select * from refund_lines
