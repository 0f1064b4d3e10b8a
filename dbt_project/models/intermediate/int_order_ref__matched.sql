-- One row per text by which a file may name an order of an account: the order it is, or NULL where
-- the text names two. Connector and account `all`: the texts that desks, review apps and files
-- without a channel use, looked for among the orders of every account, with or without the # of a
-- number, in small letters or capitals (desks write tags in small ones).
with

cases as (
    {{ union_conformed('cases') }}
),

feedback as (
    {{ union_conformed('feedback') }}
),

claims as (
    {{ union_conformed('claims') }}
),

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

sellers as (
    select distinct
        connector,
        account
    from lines
),

asked as (
    select
        connector,
        account,
        order_ref
    from cases
    union
    select
        connector,
        account,
        order_id as order_ref
    from feedback
    union
    select
        connector,
        account,
        order_ref
    from claims
),

asked_anywhere as (
    select distinct asked.order_ref
    from asked
    left join sellers
        on asked.connector = sellers.connector and asked.account = sellers.account
    where sellers.account is null and asked.order_ref is not null
),

found_anywhere as (
    select
        asked_anywhere.order_ref,
        names.connector,
        names.account,
        names.order_id
    from asked_anywhere
    inner join names
        on
            upper(ltrim(asked_anywhere.order_ref, '#')) = upper(ltrim(names.order_ref, '#'))
    qualify
        names.preference = min(names.preference) over (partition by asked_anywhere.order_ref)
),

matches as (
    select
        connector,
        account,
        order_ref,
        count(distinct order_id) as matches,
        case when count(distinct order_id) = 1 then min(order_id) end as order_id,
        case
            when count(distinct order_id) = 1
                then {{ colon_key(["connector", "account", "min(order_id)"]) }}
        end as order_key
    from preferred
    group by connector, account, order_ref
    union all
    select
        'all' as connector,
        'all' as account,
        order_ref,
        count(distinct {{ colon_key(["connector", "account", "order_id"]) }}) as matches,
        min(order_id) as order_id,
        min({{ colon_key(["connector", "account", "order_id"]) }}) as order_key
    from found_anywhere
    group by order_ref
),

final as (
    select
        connector,
        account,
        order_ref,
        matches,
        case when matches = 1 then order_id end as order_id,
        case when matches = 1 then order_key end as order_key
    from matches
)

select * from final
