-- One row per message of a service case. The text itself is not published, only its hash.
with

conformed as (
    {{ union_conformed('messages') }}
),

cases as (
    select * from {{ ref('fct_case') }}
),

keyed as (
    select
        {{ colon_key(["connector", "account", "case_source", "case_id"]) }} as case_key,
        message_id,
        direction,
        author_kind,
        sent_at,
        language,
        template_id,
        comment_hash
    from conformed
),

final as (
    select
        keyed.case_key,
        keyed.message_id,
        cases.order_key,
        cases.account,
        cases.marketplace,
        keyed.direction,
        keyed.author_kind,
        keyed.sent_at,
        coalesce(keyed.language, 'und') as language,
        coalesce(keyed.template_id, 'none') as template_id,
        {{ hours_waited("lag(keyed.sent_at) over (
            partition by keyed.case_key order by keyed.sent_at, keyed.message_id
        )", "keyed.sent_at") }} as hours_since_previous,
        coalesce(keyed.comment_hash, 'none') as text_hash
    from keyed
    -- a message whose case the desk has not given yet comes with it
    inner join cases on keyed.case_key = cases.case_key
)

select * from final
