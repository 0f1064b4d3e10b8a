-- One row per service case. Account and marketplace are those of the sale where the case is linked
-- to an order, else those of the desk. Times of answer and resolution are calendar hours.
with

cases as (
    select * from {{ ref('int_case__linked') }}
),

topics as (
    {{ union_conformed('topics') }}
),

reasons as (
    select * from {{ ref('int_return_reason__mapped') }}
),

canonical as (
    select reason_l2 from {{ ref('dim_reason') }}
),

display_names as (
    select * from {{ source('settings', 'display_name') }}
),

teams as (
    select team from {{ ref('dim_team') }}
),

skus as (
    select sku from {{ ref('dim_sku') }}
),

marketplaces as (
    select * from {{ ref('dim_marketplace') }}
),

-- lines and orders of which something came back or was asked to
returned as (
    select order_line_key as returned_key from {{ ref('fct_return_line') }}
    union
    select order_key as returned_key from {{ ref('fct_return_line') }}
),

one_topic as (
    select *
    from topics
    qualify row_number() over (partition by lower(raw_topic) order by topic_l2) = 1
),

one_reason as (
    select *
    from reasons
    qualify row_number() over (partition by connector, raw_code order by valid_from desc) = 1
),

worded as (
    select
        cases.*,
        coalesce(cases.order_marketplace, cases.marketplace, 'unknown') as known_marketplace,
        coalesce(
            case_reasons.reason_l2, canonical.reason_l2, one_topic.reason_l2, 'unknown.no_reason'
        ) as reason_l2,
        one_topic.topic_l2,
        coalesce(cases.case_type, one_topic.case_type, 'unknown') as known_type,
        coalesce(teams.team, 'unknown') as known_team,
        coalesce(cases.sku, skus.sku, 'unknown') as known_sku,
        case
            when not cases.is_outbound then coalesce(cases.first_reply_at, cases.first_agent_at)
        end as human_reply_at,
        cases.case_status in ('spam', 'merged') as is_left_out,
        returned.returned_key is not null as is_returned
    from cases
    left join returned
        on coalesce(cases.order_line_key, cases.order_key) = returned.returned_key
    left join one_topic on lower(trim(cases.topic_raw)) = lower(one_topic.raw_topic)
    left join canonical on cases.reason_raw = canonical.reason_l2
    left join one_reason as case_reasons
        on
            cases.connector = case_reasons.connector
            and {{ normalised_reason_code("cases.reason_raw") }} = case_reasons.raw_code
    left join teams on cases.team_ref = teams.team
    left join skus on cases.sku_ref = skus.sku
),

final as (
    select
        worded.case_key,
        worded.case_id,
        worded.case_source,
        coalesce(worded.order_account, worded.account) as account,
        coalesce(marketplaces.marketplace, 'unknown') as marketplace,
        coalesce(worded.country, 'ZZ') as country,
        -- spam and merged tickets are not expected to name an order
        coalesce(
            worded.order_key, case when worded.is_left_out then 'none' else 'unknown' end
        ) as order_key,
        coalesce(
            worded.order_line_key, case when worded.is_left_out then 'none' else 'unknown' end
        ) as order_line_key,
        worded.known_sku as sku,
        coalesce(worded.buyer_key, 'unknown') as customer_key,
        worded.known_team as team,
        coalesce(display_names.display_name, worded.agent, 'none') as agent,
        worded.known_type as case_type,
        {{ case_topic("worded.topic_l2", "worded.topic_raw", "worded.reason_l2") }} as topic_l2,
        worded.reason_l2,
        worded.case_status,
        worded.opened_at,
        {{ local_date("worded.opened_at", "coalesce(marketplaces.time_zone, 'UTC')") }}
            as opened_date,
        worded.human_reply_at as first_reply_at,
        case
            when worded.first_reply_by is not null then worded.first_reply_by
            when
                worded.first_automatic_at is not null
                and (
                    worded.human_reply_at is null
                    or worded.first_automatic_at < worded.human_reply_at
                ) then 'automatic'
            when worded.human_reply_at is not null then 'agent'
            else 'none'
        end as first_reply_by,
        {{ hours_waited("greatest(worded.opened_at, coalesce(worded.first_in_at,
            worded.opened_at))", "worded.human_reply_at") }} as first_response_hours,
        case when worded.human_reply_at is not null then worded.first_response_business_hours end
            as first_response_business_hours,
        worded.resolved_at,
        {{ hours_waited("worded.opened_at", "worded.resolved_at") }} as resolution_hours,
        worded.reopened_count,
        coalesce(worded.contacts, worded.counted_contacts) as contacts,
        coalesce(worded.agent_replies, worded.counted_agent_replies) as agent_replies,
        coalesce(worded.messages_in, worded.counted_messages_in) as messages_in,
        coalesce(worded.messages_out, worded.counted_messages_out) as messages_out,
        coalesce(worded.decision, 'none') as decision,
        coalesce(worded.escalated_to, 'none') as escalated_to,
        coalesce(worded.escalation_result, 'none') as escalation_result,
        case
            when worded.outcome is not null then worded.outcome
            when worded.is_csat_positive is null then 'no_answer'
            when worded.is_returned and worded.is_csat_positive then 'returned_positive'
            when worded.is_returned then 'returned_negative'
            when worded.is_csat_positive then 'kept_satisfied'
            else 'kept_unsatisfied'
        end as outcome,
        worded.csat_asked_at,
        worded.csat_answered_at,
        worded.csat_score,
        worded.csat_scale,
        worded.is_csat_positive,
        coalesce(
            worded.case_status in ('open', 'waiting')
            and coalesce(worded.waiting_since, worded.counted_waiting_since)
            < {{ as_of_at() }} - interval '3' day,
            false
        ) as is_silent,
        coalesce(worded.comment_hash, 'none') as text_hash
    from worded
    left join marketplaces on worded.known_marketplace = marketplaces.marketplace
    left join display_names on worded.agent = display_names.person_hash
)

select * from final
