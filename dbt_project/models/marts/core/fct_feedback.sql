-- One row per review or seller feedback and product that shows it. Of the rows of a group the first
-- by key counts. The case is the one of the same order that was opened nearest in time.
with

feedback as (
    select * from {{ ref('int_feedback__linked') }}
),

cases as (
    select
        case_key,
        order_key,
        opened_at
    from {{ ref('fct_case') }}
    where order_key not in ('unknown', 'none') and case_status not in ('spam', 'merged')
),

replies as (
    select
        order_key,
        sent_at
    from {{ ref('fct_message') }}
    where author_kind = 'agent' and order_key not in ('unknown', 'none')
),

nearest as (
    select
        feedback.feedback_key,
        cases.case_key
    from feedback
    inner join cases on feedback.order_key = cases.order_key
    qualify row_number() over (
        partition by feedback.feedback_key
        order by
            abs(
                {{ epoch_microseconds("cases.opened_at") }}
                - {{ epoch_microseconds("feedback.created_at") }}
            ),
            cases.case_key
    ) = 1
),

contacts as (
    select
        feedback.feedback_key,
        min(replies.sent_at) as contacted_at
    from feedback
    inner join replies
        on feedback.order_key = replies.order_key and feedback.created_at <= replies.sent_at
    group by feedback.feedback_key
),

labels as (
    select * from {{ source('load', 'text_label') }}
),

final as (
    select
        feedback.feedback_key,
        feedback.feedback_kind,
        feedback.feedback_source,
        feedback.feedback_id,
        feedback.account,
        feedback.marketplace,
        feedback.country,
        feedback.order_key,
        feedback.order_line_key,
        feedback.sku,
        feedback.product_id,
        feedback.listing_id,
        feedback.link_confidence,
        feedback.counted_once_group,
        row_number() over (
            partition by feedback.counted_once_group order by feedback.feedback_key
        ) = 1 as is_counted,
        feedback.created_at,
        feedback.created_date,
        coalesce(feedback.stars_first, feedback.stars) as stars_first,
        feedback.stars as stars_now,
        -- stars or the source's own word are better evidence than a reading of the text
        case
            when feedback.sentiment = 'und' then coalesce(labels.sentiment, 'und')
            else feedback.sentiment
        end as sentiment,
        case
            when feedback.sentiment = 'und' and labels.sentiment is not null then 'text_model'
            else feedback.sentiment_source
        end as sentiment_source,
        coalesce(feedback.stars <= 2, feedback.sentiment = 'negative') as is_negative,
        'none' as reason_l2,
        feedback.text_hash,
        feedback.changed_at,
        feedback.removed_at,
        coalesce(feedback.contacted_at, contacts.contacted_at) as contacted_at,
        feedback.replied_at,
        coalesce(nearest.case_key, 'none') as case_key,
        feedback.is_published
    from feedback
    left join nearest on feedback.feedback_key = nearest.feedback_key
    left join contacts on feedback.feedback_key = contacts.feedback_key
    left join labels on feedback.text_hash = labels.text_hash
)

select * from final
