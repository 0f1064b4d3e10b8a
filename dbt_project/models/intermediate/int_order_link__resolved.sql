-- One row per order that replaces another: a free replacement or an exchange.
with

links as (
    {{ union_conformed('order_links') }}
),

refs as (
    select * from {{ ref('int_order_ref__matched') }}
),

resolved as (
    select
        links.connector,
        links.account,
        case
            when links.conformed_by = 'files' then coalesce(own.order_id, links.order_id)
            else links.order_id
        end as order_id,
        original.order_id as original_order_id,
        links.link_kind
    from links
    left join refs as own
        on
            links.connector = own.connector
            and links.account = own.account
            and links.order_id = own.order_ref
    left join refs as original
        on
            links.connector = original.connector
            and links.account = original.account
            and links.original_order_id = original.order_ref
),

final as (
    select
        {{ colon_key(["connector", "account", "order_id"]) }} as order_key,
        coalesce(
            {{ colon_key(["connector", "account", "original_order_id"]) }}, 'unknown'
        ) as original_order_key,
        link_kind
    from resolved
    qualify row_number() over (
        partition by connector, account, order_id
        order by original_order_id is null asc, link_kind desc, original_order_id asc
    ) = 1
)

select * from final
