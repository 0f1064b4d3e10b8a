-- One row per service case of every source, linked to its order where it names one that is known,
-- and to the line where the order has one only or the case names its line or SKU; with what its
-- messages say of answers and waiting.
with

conformed as (
    {{ union_conformed('cases') }}
),

messages as (
    {{ union_conformed('messages') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

refs as (
    select * from {{ ref('int_order_ref__matched') }}
),

firsts as (
    select
        connector,
        account,
        case_source,
        case_id,
        min(sent_at) filter (where author_kind = 'buyer') as first_in_at
    from messages
    group by connector, account, case_source, case_id
),

talks as (
    select
        messages.connector,
        messages.account,
        messages.case_source,
        messages.case_id,
        min(firsts.first_in_at) as first_in_at,
        -- an answer comes after a question: what the team wrote before is none
        min(messages.sent_at) filter (
            where messages.author_kind = 'agent' and messages.sent_at >= firsts.first_in_at
        ) as first_agent_at,
        min(messages.sent_at) filter (
            where
            messages.author_kind = 'automatic'
            and messages.direction = 'out'
            and messages.sent_at >= firsts.first_in_at
        ) as first_automatic_at,
        max(messages.sent_at) filter (where messages.author_kind = 'agent') as last_agent_at,
        max(messages.sent_at) filter (where messages.author_kind = 'buyer') as last_in_at,
        count(*) filter (where messages.author_kind = 'buyer') as contacts,
        count(*) filter (where messages.author_kind = 'agent') as agent_replies,
        count(*) filter (where messages.direction = 'in') as messages_in,
        count(*) filter (where messages.direction = 'out') as messages_out
    from messages
    inner join firsts
        on
            messages.connector = firsts.connector
            and messages.account = firsts.account
            and messages.case_source = firsts.case_source
            and messages.case_id = firsts.case_id
    group by
        messages.connector,
        messages.account,
        messages.case_source,
        messages.case_id
),

sellers as (
    select distinct
        connector,
        account
    from order_lines
),

referenced as (
    select
        conformed.*,
        coalesce(own_refs.order_key, any_refs.order_key) as order_key
    from conformed
    left join refs as own_refs
        on
            conformed.connector = own_refs.connector
            and conformed.account = own_refs.account
            and conformed.order_ref = own_refs.order_ref
    left join sellers
        on conformed.connector = sellers.connector and conformed.account = sellers.account
    left join refs as any_refs
        on
            any_refs.connector = 'all'
            and case when sellers.account is null then conformed.order_ref end
            = any_refs.order_ref
),

candidates as (
    select
        referenced.connector,
        referenced.account,
        referenced.case_source,
        referenced.case_id,
        order_lines.order_key,
        order_lines.account as order_account,
        order_lines.marketplace as order_marketplace,
        order_lines.country,
        order_lines.customer_key as buyer_key,
        order_lines.order_line_key,
        order_lines.sku,
        case
            when order_lines.line_id = referenced.line_ref then 1
            when referenced.sku_ref in (order_lines.sku, order_lines.source_sku) then 2
            else 3
        end as preference
    from referenced
    inner join order_lines on referenced.order_key = order_lines.order_key
    where referenced.marketplace is null or referenced.marketplace = order_lines.marketplace
),

preferred as (
    select *
    from candidates
    qualify preference = min(preference) over (
        partition by connector, account, case_source, case_id
    )
),

linked as (
    select
        connector,
        account,
        case_source,
        case_id,
        min(order_key) as order_key,
        min(order_account) as order_account,
        min(order_marketplace) as order_marketplace,
        min(country) as country,
        min(buyer_key) as buyer_key,
        case when count(*) = 1 then min(order_line_key) end as order_line_key,
        case when count(*) = 1 then min(sku) end as sku
    from preferred
    group by connector, account, case_source, case_id
),

final as (
    select
        {{ colon_key(["conformed.connector", "conformed.account", "conformed.case_source",
            "conformed.case_id"]) }} as case_key,
        {%- for column in conformed_columns('cases') %}
            conformed.{{ column }},
        {%- endfor %}
        linked.order_key,
        linked.order_account,
        linked.order_marketplace,
        linked.country,
        linked.buyer_key,
        linked.order_line_key,
        linked.sku,
        talks.first_in_at,
        -- the team wrote first and the buyer never: there was nothing to answer
        talks.account is not null and talks.first_in_at is null as is_outbound,
        talks.first_agent_at,
        talks.first_automatic_at,
        talks.contacts as counted_contacts,
        talks.agent_replies as counted_agent_replies,
        talks.messages_in as counted_messages_in,
        talks.messages_out as counted_messages_out,
        case
            when talks.last_agent_at is null or talks.last_in_at > talks.last_agent_at
                then talks.last_in_at
        end as counted_waiting_since
    from conformed
    left join linked
        on
            conformed.connector = linked.connector
            and conformed.account = linked.account
            and conformed.case_source = linked.case_source
            and conformed.case_id = linked.case_id
    left join talks
        on
            conformed.connector = talks.connector
            and conformed.account = talks.account
            and conformed.case_source = talks.case_source
            and conformed.case_id = talks.case_id
)

select * from final
