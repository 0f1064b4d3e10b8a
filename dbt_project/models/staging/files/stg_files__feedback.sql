-- One row per review of the seller's files, its rating on a scale of five.
with

reviews as (
    select
        {{ file_channel_or_inbox_columns() }},
        *
    from {{ source('raw_files', 'reviews') }}
),

feedback as (
    select
        connector,
        account,
        marketplace,
        coalesce(kind, 'product_review') as feedback_kind,
        source as feedback_source,
        review_id as feedback_id,
        order_ref as order_id,
        cast(null as varchar) as line_id,
        sku,
        product_ref as listing_id,
        created_at,
        cast(rating as double) * 5 / coalesce(scale_max, 5) as stars,
        cast(null as varchar) as native_sentiment,
        {{ text_hash(["title", "body"]) }} as comment_hash,
        changed_at,
        removed_at,
        contacted_at,
        replied_at,
        coalesce(published, true) and removed_at is null as is_published,
        cast(coalesce(first_rating, rating) as double) * 5 / coalesce(scale_max, 5) as stars_first,
        group_ref
    from reviews
)

select * from feedback
