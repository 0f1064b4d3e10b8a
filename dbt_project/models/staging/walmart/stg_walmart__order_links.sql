-- One row per replacement order: the purchase order that it stands in for. Where the customer's
-- order was split, it is the one with the same SKU.
with

order_lines as (
    select * from {{ ref('base_walmart__order_lines') }}
),

candidates as (
    select
        replacements.account,
        replacements.order_id,
        originals.order_id as original_order_id,
        coalesce(replacements.sku = originals.sku, false) as is_same_sku
    from order_lines as replacements
    left join order_lines as originals
        on
            replacements.account = originals.account
            and replacements.original_customer_order_id = originals.customer_order_id
            and replacements.order_id <> originals.order_id
            and not originals.is_replacement
    where replacements.is_replacement
),

order_links as (
    select
        'walmart' as connector,
        account,
        order_id,
        original_order_id,
        'replacement' as link_kind
    from candidates
    qualify
        row_number() over (
            partition by account, order_id order by is_same_sku desc, original_order_id asc
        ) = 1
)

select * from order_links
