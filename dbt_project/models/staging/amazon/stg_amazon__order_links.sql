with

orders as (
    select * from {{ ref('base_amazon__orders') }}
),

associations as (
    select
        account,
        order_id,
        {{ elements("associated_orders") }} as association
    from orders
),

order_links as (
    select
        'amazon' as connector,
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
)

select * from order_links
