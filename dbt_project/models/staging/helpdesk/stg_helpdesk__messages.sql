-- One row per message between a buyer and the desk; notes among agents are left out. Of a deleted
-- ticket no text is kept.
with

zendesk_events as (
    select * from {{ source('raw_helpdesk', 'zendesk_events') }}
    where event_type = 'comment'
),

zendesk_tickets as (
    select
        _account,
        id,
        max(requester_key) as requester_key,
        max(case when status = 'deleted' then 1 else 0 end) = 1 as is_deleted
    from {{ source('raw_helpdesk', 'zendesk_tickets') }}
    group by _account, id
),

gorgias_messages as (
    select * from {{ source('raw_helpdesk', 'gorgias_messages') }}
),

gorgias_tickets as (
    select * from {{ source('raw_helpdesk', 'gorgias_tickets') }}
),

zendesk as (
    select
        'helpdesk' as connector,
        events._account as account,
        'zendesk' as case_source,
        cast(events.ticket_id as varchar) as case_id,
        cast(events.id as varchar) as message_id,
        case
            when events.is_automatic then 'automatic'
            when events.author_key = tickets.requester_key then 'buyer'
            else 'agent'
        end as author_kind,
        {{ iso_timestamp("events.created_at") }} as sent_at,
        cast(null as varchar) as language,
        case when not tickets.is_deleted then {{ text_hash(["events.body"]) }} end as comment_hash
    from zendesk_events as events
    inner join zendesk_tickets as tickets
        on events._account = tickets._account and events.ticket_id = tickets.id
),

gorgias as (
    select
        'helpdesk' as connector,
        messages._account as account,
        'gorgias' as case_source,
        cast(messages.ticket_id as varchar) as case_id,
        cast(messages.id as varchar) as message_id,
        case
            when messages.is_automatic then 'automatic'
            when messages.from_agent then 'agent'
            else 'buyer'
        end as author_kind,
        coalesce(
            {{ iso_timestamp("messages.sent_datetime") }},
            {{ iso_timestamp("messages.created_datetime") }}
        ) as sent_at,
        tickets.language,
        {{ text_hash(["messages.stripped_text"]) }} as comment_hash
    from gorgias_messages as messages
    left join gorgias_tickets as tickets
        on messages._account = tickets._account and messages.ticket_id = tickets.id
),

both_vendors as (
    select * from zendesk
    union all
    select * from gorgias
),

messages as (
    select
        connector,
        account,
        case_source,
        case_id,
        message_id,
        case author_kind when 'buyer' then 'in' else 'out' end as direction,
        author_kind,
        sent_at,
        language,
        cast(null as varchar) as template_id,
        comment_hash
    from both_vendors
)

select * from messages
