-- One row per service case of the seller's files.
with

told as (
    select
        {{ file_channel_or_inbox_columns() }},
        *
    from {{ source('raw_files', 'cases') }}
),

cases as (
    select
        connector,
        account,
        source as case_source,
        case_id,
        marketplace,
        order_ref,
        cast(null as varchar) as line_ref,
        sku as sku_ref,
        cast(null as varchar) as customer_key,
        team as team_ref,
        agent,
        case_type,
        topic as topic_raw,
        cast(null as varchar) as reason_raw,
        coalesce(status, case when resolved_at is not null then 'solved' else 'open' end)
            as case_status,
        opened_at,
        first_reply_at,
        case
            when first_reply_at is null then 'none'
            else coalesce(first_reply_by, 'agent')
        end as first_reply_by,
        cast(null as double) as first_response_business_hours,
        resolved_at,
        cast(reopened_count as bigint) as reopened_count,
        cast(messages_in as bigint) as contacts,
        cast(messages_out as bigint) as agent_replies,
        cast(messages_in as bigint) as messages_in,
        cast(messages_out as bigint) as messages_out,
        cast(null as timestamp) as waiting_since,
        decision,
        escalated as escalated_to,
        cast(null as varchar) as escalation_result,
        outcome,
        coalesce(csat_asked_at, csat_answered_at) as csat_asked_at,
        csat_answered_at,
        cast(csat_score as double) as csat_score,
        cast(csat_scale as double) as csat_scale,
        -- four and five of five; on a scale of one the only good answer is one
        csat_score * 5 >= csat_scale * 4 as is_csat_positive,
        {{ text_hash(["comment"]) }} as comment_hash
    from told
)

select * from cases
