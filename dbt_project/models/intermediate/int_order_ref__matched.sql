-- One row per text by which a file may name an order of an account: the order it is, or NULL where
-- the text names two.
with

lines as (
    select * from {{ ref('int_order_line__unioned') }}
),

file_orders as (
    select * from {{ ref('int_file_order__matched') }}
),

names as (
    select distinct
        connector,
        account,
        order_id as order_ref,
        order_id,
        1 as preference
    from lines
    union
    select distinct
        connector,
        account,
        order_number as order_ref,
        order_id,
        2 as preference
    from lines
    union
    -- a file's own words for an order that an API gives
    select
        connector,
        account,
        order_ref,
        api_order_id as order_id,
        1 as preference
    from file_orders
    where api_order_id is not null
    union
    select
        connector,
        account,
        order_number as order_ref,
        api_order_id as order_id,
        2 as preference
    from file_orders
    where api_order_id is not null
),

preferred as (
    select *
    from names
    qualify preference = min(preference) over (partition by connector, account, order_ref)
),

final as (
    select
        connector,
        account,
        order_ref,
        count(distinct order_id) as matches,
        case when count(distinct order_id) = 1 then min(order_id) end as order_id
    from preferred
    group by connector, account, order_ref
)

select * from final
