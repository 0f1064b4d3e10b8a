-- One row per review or seller feedback. No source shows one on several SKUs yet: each is a group
-- of its own.
with

feedback as (
    select * from {{ ref('int_feedback__linked') }}
),

final as (
    select
        feedback_key,
        feedback_kind,
        feedback_source,
        feedback_id,
        account,
        marketplace,
        country,
        order_key,
        order_line_key,
        sku,
        product_id,
        listing_id,
        link_confidence,
        feedback_key as counted_once_group,
        true as is_counted,
        created_at,
        created_date,
        stars as stars_first,
        stars as stars_now,
        sentiment,
        sentiment_source,
        coalesce(stars <= 2, sentiment = 'negative') as is_negative,
        'none' as reason_l2,
        text_hash,
        changed_at,
        removed_at,
        contacted_at,
        replied_at,
        'none' as case_key,
        is_published
    from feedback
)

select * from final
