-- One row per labelled text that a return, a review, a feedback, a message or a case refers to.
with

labels as (
    select * from {{ source('load', 'text_label') }}
),

reasons as (
    select * from {{ source('load', 'text_reason') }}
),

mentions as (
    select
        text_hash,
        1 as rank_of_source
    from {{ ref('int_return_line__linked') }}
    union all
    select
        text_hash,
        case when feedback_kind = 'product_review' then 2 else 3 end as rank_of_source
    from {{ ref('int_feedback__linked') }}
    union all
    select
        text_hash,
        4 as rank_of_source
    from {{ ref('fct_case') }}
    union all
    select
        text_hash,
        5 as rank_of_source
    from {{ ref('fct_message') }}
),

-- a text found in several places counts where it says most about a product
texts as (
    select
        text_hash,
        min(rank_of_source) as rank_of_source
    from mentions
    group by text_hash
),

counted_reasons as (
    select
        reasons.text_hash,
        reasons.text_reason,
        reasons.label_source,
        case
            when texts.rank_of_source = 1 then reasons.confidence_of_return
            else reasons.confidence
        end as reason_confidence
    from reasons
    inner join texts on reasons.text_hash = texts.text_hash
),

text_reasons as (
    select
        text_hash,
        {{ ordered_list("text_reason", ";") }} as reasons
    from counted_reasons
    where reason_confidence is not null
    group by text_hash
),

top_reasons as (
    select *
    from counted_reasons
    where reason_confidence is not null
    qualify row_number() over (
        partition by text_hash order by reason_confidence desc, text_reason asc
    ) = 1
),

safety as (
    select distinct text_hash
    from reasons
    where text_reason = 'safety'
),

final as (
    select
        labels.text_hash,
        case texts.rank_of_source
            when 1 then 'return_comment'
            when 2 then 'review'
            when 3 then 'seller_feedback'
            when 4 then 'case'
            else 'message'
        end as text_source,
        labels.language,
        labels.language_confidence,
        labels.sentiment,
        labels.sentiment_confidence,
        coalesce(top_reasons.text_reason, 'none') as top_reason,
        coalesce(text_reasons.reasons, '') as reasons,
        top_reasons.reason_confidence,
        safety.text_hash is not null as is_safety,
        coalesce(top_reasons.label_source, 'text_model') as label_source,
        labels.label_version,
        labels.first_seen_at
    from labels
    inner join texts on labels.text_hash = texts.text_hash
    left join text_reasons on labels.text_hash = text_reasons.text_hash
    left join top_reasons on labels.text_hash = top_reasons.text_hash
    left join safety on labels.text_hash = safety.text_hash
)

select * from final
