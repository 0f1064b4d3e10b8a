-- One row per ticket of every desk. Gorgias measures nothing itself: what its messages say of
-- answers is counted with those of all other sources.
with

zendesk as (
    select * from {{ ref('base_helpdesk__zendesk_cases') }}
),

gorgias_tickets as (
    select * from {{ source('raw_helpdesk', 'gorgias_tickets') }}
),

gorgias_surveys as (
    select
        _account,
        ticket_id,
        min(coalesce(sent_datetime, scored_datetime)) as asked_at,
        max(scored_datetime) as answered_at,
        max(score) as score
    from {{ source('raw_helpdesk', 'gorgias_surveys') }}
    group by _account, ticket_id
),

topics as (
    select * from {{ ref('stg_helpdesk__topics') }}
),

gorgias as (
    select
        tickets._account as account,
        'gorgias' as case_source,
        tickets.id as ticket_id,
        cast(null as varchar) as marketplace,
        tickets.order_ref,
        tickets.customer_key,
        tickets.team as team_ref,
        tickets.agent_key as agent,
        cast(null as varchar) as topic,
        tickets.tags,
        case
            when tickets.spam then 'spam'
            -- merging leaves one ticket in the trash
            when tickets.trashed_datetime is not null then 'merged'
            when tickets.status = 'closed' then 'closed'
            when tickets.snooze_datetime is not null then 'waiting'
            else 'open'
        end as case_status,
        {{ iso_timestamp("tickets.created_datetime") }} as opened_at,
        cast(null as timestamp) as first_reply_at,
        cast(null as double) as first_response_business_hours,
        case
            when tickets.status = 'closed'
                then {{ iso_timestamp("tickets.closed_datetime") }}
        end as resolved_at,
        cast(null as bigint) as reopened_count,
        cast(null as bigint) as agent_replies,
        {{ iso_timestamp("surveys.asked_at") }} as csat_asked_at,
        {{ iso_timestamp("surveys.answered_at") }} as csat_answered_at,
        surveys.score as csat_score,
        case when surveys.score is not null then 5.0 end as csat_scale,
        {{ text_hash(["tickets.subject"]) }} as comment_hash
    from gorgias_tickets as tickets
    left join gorgias_surveys as surveys
        on tickets._account = surveys._account and tickets.id = surveys.ticket_id
),

both_vendors as (
    select * from zendesk
    union all
    select * from gorgias
),

tags as (
    select
        account,
        case_source,
        ticket_id,
        {{ elements("tags") }} as tag
    from both_vendors
),

-- of several tags that are topics, the first by alphabet
tagged as (
    select
        tags.account,
        tags.case_source,
        tags.ticket_id,
        min(topics.raw_topic) as topic
    from tags
    inner join topics on lower(trim(tags.tag)) = topics.raw_topic
    group by tags.account, tags.case_source, tags.ticket_id
),

cases as (
    select
        'helpdesk' as connector,
        both_vendors.account,
        both_vendors.case_source,
        cast(both_vendors.ticket_id as varchar) as case_id,
        both_vendors.marketplace,
        both_vendors.order_ref,
        cast(null as varchar) as line_ref,
        cast(null as varchar) as sku_ref,
        both_vendors.customer_key,
        both_vendors.team_ref,
        both_vendors.agent,
        cast(null as varchar) as case_type,
        coalesce(both_vendors.topic, tagged.topic) as topic_raw,
        cast(null as varchar) as reason_raw,
        both_vendors.case_status,
        both_vendors.opened_at,
        both_vendors.first_reply_at,
        cast(null as varchar) as first_reply_by,
        both_vendors.first_response_business_hours,
        both_vendors.resolved_at,
        both_vendors.reopened_count,
        cast(null as bigint) as contacts,
        both_vendors.agent_replies,
        cast(null as bigint) as messages_in,
        cast(null as bigint) as messages_out,
        cast(null as timestamp) as waiting_since,
        cast(null as varchar) as decision,
        cast(null as varchar) as escalated_to,
        cast(null as varchar) as escalation_result,
        cast(null as varchar) as outcome,
        both_vendors.csat_asked_at,
        both_vendors.csat_answered_at,
        both_vendors.csat_score,
        both_vendors.csat_scale,
        both_vendors.csat_score * 5 >= both_vendors.csat_scale * 4 as is_csat_positive,
        both_vendors.comment_hash
    from both_vendors
    left join tagged
        on
            both_vendors.account = tagged.account
            and both_vendors.case_source = tagged.case_source
            and both_vendors.ticket_id = tagged.ticket_id
)

select * from cases
