-- One row per order of the seller's files: how many orders of an API it is. The reference is looked
-- for as an order id, then as an order number; a number that names two orders is ambiguous.
with

conformed as (
    {{ union_conformed('order_lines') }}
),

file_orders as (
    select
        connector,
        account,
        order_id as order_ref,
        min(order_number) as order_number
    from conformed
    where conformed_by = 'files'
    group by connector, account, order_id
),

api_orders as (
    select distinct
        connector,
        account,
        order_id,
        order_number
    from conformed
    where conformed_by <> 'files'
),

api_names as (
    select
        connector,
        account,
        order_id as name,
        order_id,
        1 as preference
    from api_orders
    union all
    select
        connector,
        account,
        order_number as name,
        order_id,
        2 as preference
    from api_orders
    where order_number <> order_id
),

candidates as (
    select
        file_orders.connector,
        file_orders.account,
        file_orders.order_ref,
        api_names.order_id,
        api_names.preference
    from file_orders
    inner join api_names
        on
            file_orders.connector = api_names.connector
            and file_orders.account = api_names.account
            and file_orders.order_ref = api_names.name
    union all
    select
        file_orders.connector,
        file_orders.account,
        file_orders.order_ref,
        api_names.order_id,
        2 + api_names.preference as preference
    from file_orders
    inner join api_names
        on
            file_orders.connector = api_names.connector
            and file_orders.account = api_names.account
            and file_orders.order_number = api_names.name
    where file_orders.order_number <> file_orders.order_ref
),

preferred as (
    select *
    from candidates
    qualify preference = min(preference) over (partition by connector, account, order_ref)
),

matches as (
    select
        connector,
        account,
        order_ref,
        count(distinct order_id) as matches,
        min(order_id) as order_id
    from preferred
    group by connector, account, order_ref
),

final as (
    select
        file_orders.connector,
        file_orders.account,
        file_orders.order_ref,
        file_orders.order_number,
        coalesce(matches.matches, 0) as matches,
        case when matches.matches = 1 then matches.order_id end as api_order_id
    from file_orders
    left join matches
        on
            file_orders.connector = matches.connector
            and file_orders.account = matches.account
            and file_orders.order_ref = matches.order_ref
)

select * from final
