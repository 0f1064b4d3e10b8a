with

orders as (
    select * from {{ ref('base_files__orders') }}
),

order_links as (
    select
        connector,
        account,
        order_ref as order_id,
        max(replaces_order_ref) as original_order_id,
        case when bool_or(is_replacement) then 'replacement' else 'exchange' end as link_kind
    from orders
    where is_replacement or replaces_order_ref is not null
    group by connector, account, order_ref
)

select * from order_links
