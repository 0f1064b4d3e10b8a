-- One row per labelled text and reason that it gives.
with

reasons as (
    select * from {{ source('load', 'text_reason') }}
),

texts as (
    select
        text_hash,
        text_source
    from {{ ref('fct_text_label') }}
),

counted as (
    select
        reasons.text_hash,
        reasons.text_reason,
        reasons.reason_l2,
        case
            when texts.text_source = 'return_comment' then reasons.confidence_of_return
            else reasons.confidence
        end as confidence,
        reasons.label_source
    from reasons
    inner join texts on reasons.text_hash = texts.text_hash
),

final as (
    select * from counted
    where confidence is not null
)

select * from final
