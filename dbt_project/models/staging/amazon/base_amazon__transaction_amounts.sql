-- One row per leaf of the amounts of a transaction's item, with the SKU of the item.
with

transactions as (
    select * from {{ ref('base_amazon__transactions') }}
),

items as (
    select
        account,
        transaction_id,
        {{ elements("items") }} as item
    from transactions
),

contexts as (
    select
        items.account,
        items.transaction_id,
        items.item.lineNo as line_no,
        {{ elements("items.item.contexts") }} as context
    from items
),

products as (
    select
        contexts.account,
        contexts.transaction_id,
        contexts.line_no,
        max(nullif(trim(contexts.context.sku), '')) as sku
    from contexts
    group by contexts.account, contexts.transaction_id, contexts.line_no
),

leaves as (
    select
        items.account,
        items.transaction_id,
        items.item.lineNo as line_no,
        {{ elements("items.item.amounts") }} as leaf
    from items
),

transaction_amounts as (
    select
        leaves.account,
        leaves.transaction_id,
        leaves.line_no,
        coalesce(products.sku, 'unknown') as sku,
        leaves.leaf.path as amount_path,
        {{ money("leaves.leaf.currencyAmount") }} as amount,
        leaves.leaf.currencyCode as currency
    from leaves
    left join products
        on
            leaves.account = products.account
            and leaves.transaction_id = products.transaction_id
            and leaves.line_no = products.line_no
)

select * from transaction_amounts
