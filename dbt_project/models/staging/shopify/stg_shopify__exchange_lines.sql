with

exchange_items as (
    select * from {{ ref('base_shopify__exchange_items') }}
),

lines as (
    select * from {{ ref('base_shopify__lines') }}
    where is_counted
),

exchange_lines as (
    select
        'shopify' as connector,
        exchange_items.account,
        exchange_items.exchange_id,
        exchange_items.order_id,
        exchange_items.line_id,
        exchange_items.return_id,
        lines.sku,
        exchange_items.quantity,
        exchange_items.exchanged_at
    from exchange_items
    inner join lines
        on exchange_items.account = lines.account and exchange_items.line_id = lines.line_id
)

select * from exchange_lines
