-- One row per seller feedback. The report has one to three stars only; of the seller's answer it
-- gives no time.
with

seller_feedback as (
    select * from {{ ref('base_amazon__seller_feedback') }}
),

feedback as (
    select
        'amazon' as connector,
        account,
        marketplace,
        'seller_feedback' as feedback_kind,
        'amazon' as feedback_source,
        feedback_id,
        order_id,
        cast(null as varchar) as line_id,
        cast(null as varchar) as sku,
        cast(null as varchar) as listing_id,
        created_at,
        stars,
        cast(null as varchar) as native_sentiment,
        md5(comments) as comment_hash,
        cast(null as timestamp) as changed_at,
        cast(null as timestamp) as removed_at,
        cast(null as timestamp) as contacted_at,
        cast(null as timestamp) as replied_at,
        true as is_published,
        stars as stars_first,
        cast(null as varchar) as group_ref
    from seller_feedback
)

select * from feedback
