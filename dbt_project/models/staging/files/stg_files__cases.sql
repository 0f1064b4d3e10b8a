-- One row per service case of the seller's files, and per repair: one that names the case it
-- belongs to counts as merged into it.
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
),

repairs as (
    select
        connector,
        account,
        'repairs' as case_source,
        repair_id as case_id,
        marketplace,
        order_ref,
        cast(null as varchar) as line_ref,
        sku as sku_ref,
        cast(null as varchar) as customer_key,
        cast(null as varchar) as team_ref,
        cast(null as varchar) as agent,
        case kind when 'repair' then 'repair' else 'warranty' end as case_type,
        'repair' as topic_raw,
        fault_code as reason_raw,
        case
            when case_id is not null then 'merged'
            when closed_at is not null then 'solved'
            else 'open'
        end as case_status,
        received_at as opened_at,
        cast(null as timestamp) as first_reply_at,
        'none' as first_reply_by,
        cast(null as double) as first_response_business_hours,
        closed_at as resolved_at,
        cast(null as bigint) as reopened_count,
        cast(null as bigint) as contacts,
        cast(null as bigint) as agent_replies,
        cast(null as bigint) as messages_in,
        cast(null as bigint) as messages_out,
        cast(null as timestamp) as waiting_since,
        case
            when outcome = 'refused' then 'declined'
            when outcome is not null then 'accepted'
        end as decision,
        'none' as escalated_to,
        cast(null as varchar) as escalation_result,
        cast(null as varchar) as outcome,
        cast(null as timestamp) as csat_asked_at,
        cast(null as timestamp) as csat_answered_at,
        cast(null as double) as csat_score,
        cast(null as double) as csat_scale,
        cast(null as boolean) as is_csat_positive,
        cast(null as varchar) as comment_hash
    from {{ ref('base_files__repairs') }}
),

final as (
    select * from cases
    union all
    select * from repairs
)

select * from final
