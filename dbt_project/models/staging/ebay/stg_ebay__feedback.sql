-- One row per feedback of a buyer; the line is known where eBay names item and transaction.
with

source as (
    select * from {{ source('raw_ebay', 'feedback') }}
),

lines as (
    select * from {{ ref('base_ebay__lines') }}
),

entries as (
    select
        source._account as account,
        source.feedbackId as feedback_id,
        nullif(trim(orderLineItemSummary.orderLineItemId), '') as rated_line,
        nullif(trim(orderLineItemSummary.listingId), '') as listing_id,
        {{ iso_timestamp("feedbackEnteredDate") }} as created_at,
        lower(source.commentType) as native_sentiment,
        nullif(trim(feedbackComment.commentText), '') as buyer_comment,
        coalesce(feedbackComment.commentTextRemovedPerPolicy, false) as is_removed,
        source.feedbackRatings as ratings
    from source
    where not coalesce(source.automatedFeedback, false)
),

rating_parts as (
    select
        account,
        feedback_id,
        {{ elements("ratings") }} as rating
    from entries
),

stars as (
    select
        rating_parts.account,
        rating_parts.feedback_id,
        max(try_cast(rating.value as double)) as stars
    from rating_parts
    where rating_parts.rating.ratingType = 'OVERALL_EXPERIENCE'
    group by rating_parts.account, rating_parts.feedback_id
),

matched as (
    select
        entries.account,
        entries.feedback_id,
        lines.order_id,
        lines.line_id,
        lines.sku,
        lines.marketplace
    from entries
    inner join lines
        on
            entries.account = lines.account
            and entries.rated_line = lines.item_id || '-' || lines.line_id
),

feedback as (
    select
        'ebay' as connector,
        entries.account,
        matched.marketplace,
        'seller_feedback' as feedback_kind,
        'ebay' as feedback_source,
        entries.feedback_id,
        matched.order_id,
        matched.line_id,
        matched.sku,
        entries.listing_id,
        entries.created_at,
        stars.stars,
        entries.native_sentiment,
        md5(entries.buyer_comment) as comment_hash,
        cast(null as timestamp) as changed_at,
        cast(null as timestamp) as removed_at,
        cast(null as timestamp) as contacted_at,
        cast(null as timestamp) as replied_at,
        not entries.is_removed as is_published,
        stars.stars as stars_first,
        cast(null as varchar) as group_ref
    from entries
    left join matched
        on entries.account = matched.account and entries.feedback_id = matched.feedback_id
    left join stars
        on entries.account = stars.account and entries.feedback_id = stars.feedback_id
)

select * from feedback
