-- One row per order that replaces another, as the orders API or FBA's report of replacements says.
with

orders as (
    select * from {{ ref('base_amazon__orders') }}
),

replacements as (
    select * from {{ ref('base_amazon__fba_replacements') }}
),

associations as (
    select
        account,
        order_id,
        {{ elements("associated_orders") }} as association
    from orders
),

told as (
    select
        associations.account,
        associations.order_id,
        associations.association.orderId as original_order_id,
        case associations.association.associationType
            when 'REPLACEMENT_ORIGINAL_ID' then 'replacement'
            when 'EXCHANGE_ORIGINAL_ID' then 'exchange'
        end as link_kind
    from associations
    where
        associations.association.associationType in (
            'REPLACEMENT_ORIGINAL_ID', 'EXCHANGE_ORIGINAL_ID'
        )
    union
    select
        account,
        order_id,
        original_order_id,
        'replacement' as link_kind
    from replacements
    where order_id is not null and original_order_id is not null
),

order_links as (
    select
        'amazon' as connector,
        account,
        order_id,
        original_order_id,
        link_kind
    from told
)

select * from order_links
