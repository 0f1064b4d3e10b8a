-- One row per Zendesk ticket with its metrics and its newest rating. A deleted ticket keeps what
-- was known of it before, without text. Times of answer and resolution are those that Zendesk
-- measured.
with

source as (
    select * from {{ source('raw_helpdesk', 'zendesk_tickets') }}
),

listed_metrics as (
    select * from {{ source('raw_helpdesk', 'zendesk_ticket_metrics') }}
),

ratings as (
    select * from {{ source('raw_helpdesk', 'zendesk_satisfaction_ratings') }}
    where score <> 'unoffered'
),

events as (
    select * from {{ source('raw_helpdesk', 'zendesk_events') }}
),

tickets as (
    select
        *,
        max(case when status = 'deleted' then 1 else 0 end) over (partition by _account, id) = 1
            as is_deleted
    from source
    -- the last state before it was deleted, where that was read
    qualify row_number() over (
        partition by _account, id order by case when status = 'deleted' then 1 else 0 end
    ) = 1
),

rated as (
    select
        _account,
        ticket_id,
        min({{ iso_timestamp("created_at") }}) as asked_at,
        -- the newest answer: a buyer may change it
        max_by(
            case when score like 'good%' then 1 when score like 'bad%' then 0 end,
            {{ iso_timestamp("updated_at") }}
        ) as score,
        max(case
            when score like 'good%' or score like 'bad%'
                then {{ iso_timestamp("updated_at") }}
        end) as answered_at
    from ratings
    group by _account, ticket_id
),

surveyed as (
    select
        _account,
        ticket_id,
        min({{ iso_timestamp("created_at") }}) as asked_at,
        max_by(rating, {{ iso_timestamp("created_at") }}) filter (where rating is not null)
            as score,
        max(rating_max) as score_max,
        max({{ iso_timestamp("created_at") }}) filter (where rating is not null) as answered_at
    from events
    where event_type like 'survey_%'
    group by _account, ticket_id
),

measured as (
    select
        tickets.*,
        coalesce(
            tickets.metric_set.reply_time_in_minutes.calendar,
            listed_metrics.reply_time_in_minutes.calendar
        ) as reply_minutes,
        coalesce(
            tickets.metric_set.reply_time_in_minutes.business,
            listed_metrics.reply_time_in_minutes.business
        ) as reply_business_minutes,
        coalesce(
            tickets.metric_set.full_resolution_time_in_minutes.calendar,
            listed_metrics.full_resolution_time_in_minutes.calendar
        ) as resolution_minutes,
        coalesce(tickets.metric_set.solved_at, listed_metrics.solved_at) as solved_at,
        coalesce(tickets.metric_set.reopens, listed_metrics.reopens) as reopens,
        coalesce(tickets.metric_set.replies, listed_metrics.replies) as replies
    from tickets
    left join listed_metrics
        on tickets._account = listed_metrics._account and tickets.id = listed_metrics.ticket_id
),

dated as (
    select
        *,
        {{ iso_timestamp("created_at") }} as opened_at,
        {{ iso_timestamp("solved_at") }} as told_solved_at,
        list_contains(coalesce(tags, []), 'closed_by_merge') as is_merged
    from measured
),

final as (
    select
        dated._account as account,
        'zendesk' as case_source,
        dated.id as ticket_id,
        dated.marketplace,
        dated.order_ref,
        dated.requester_key as customer_key,
        dated.team as team_ref,
        dated.agent_key as agent,
        dated.topic,
        dated.tags,
        case
            when dated.is_merged then 'merged'
            -- trashed, mostly spam; agents do not delete what they answer for
            when dated.is_deleted then 'spam'
            when dated.status in ('new', 'open') then 'open'
            when dated.status in ('pending', 'hold') then 'waiting'
            when dated.status = 'solved' then 'solved'
            else 'closed'
        end as case_status,
        dated.opened_at,
        dated.opened_at + dated.reply_minutes * interval '1' minute as first_reply_at,
        dated.reply_business_minutes / 60.0 as first_response_business_hours,
        case
            when dated.status in ('new', 'open', 'pending', 'hold') then null
            when dated.resolution_minutes is not null
                then dated.opened_at + dated.resolution_minutes * interval '1' minute
            else dated.told_solved_at
        end as resolved_at,
        dated.reopens as reopened_count,
        dated.replies as agent_replies,
        coalesce(rated.asked_at, surveyed.asked_at) as csat_asked_at,
        coalesce(rated.answered_at, surveyed.answered_at) as csat_answered_at,
        coalesce(cast(rated.score as double), surveyed.score) as csat_score,
        case
            when rated.score is not null then 1.0
            when surveyed.score is not null then surveyed.score_max
        end as csat_scale,
        case
            when not dated.is_deleted
                then {{ text_hash(["dated.subject", "dated.description"]) }}
        end as comment_hash
    from dated
    left join rated on dated._account = rated._account and dated.id = rated.ticket_id
    left join surveyed on dated._account = surveyed._account and dated.id = surveyed.ticket_id
)

select * from final
