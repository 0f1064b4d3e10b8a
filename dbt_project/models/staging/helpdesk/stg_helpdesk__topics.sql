-- One row per tag or topic that has a canonical topic; the words are the same for every source.
with

topics as (
    select
        raw_topic,
        topic_l2,
        case_type,
        reason_l2
    from {{ source('raw_helpdesk', 'topics') }}
)

select * from topics
