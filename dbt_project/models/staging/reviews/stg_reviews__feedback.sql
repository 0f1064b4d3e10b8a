-- One row per review and product that shows it, with its first rating and its rating now. The
-- number of the product is the link; of a product group only the first row keeps the app's own id.
with

current_states as (
    select
        _account as account,
        'judge_me' as feedback_source,
        cast(id as varchar) as review_id,
        product_external_id as product_ref,
        cast(null as varchar) as order_ref,
        rating,
        {{ text_hash(["title", "body"]) }} as comment_hash,
        {{ iso_timestamp("created_at") }} as created_at,
        {{ iso_timestamp("updated_at") }} as updated_at,
        coalesce(published, true) and not coalesce(hidden, false) as is_published,
        false as is_removed,
        _key
    from {{ source('raw_reviews', 'judge_me_reviews') }}
    union all
    select
        _account as account,
        'yotpo' as feedback_source,
        cast(id as varchar) as review_id,
        sku as product_ref,
        cast(null as varchar) as order_ref,
        score as rating,
        {{ text_hash(["title", "content"]) }} as comment_hash,
        {{ iso_timestamp("created_at") }} as created_at,
        {{ iso_timestamp("updated_at") }} as updated_at,
        not coalesce(deleted, false) and not coalesce(archived, false) as is_published,
        coalesce(deleted, false) as is_removed,
        _key
    from {{ source('raw_reviews', 'yotpo_reviews') }}
    union all
    select
        _account as account,
        'okendo' as feedback_source,
        reviewId as review_id,
        productId as product_ref,
        orderId as order_ref,
        rating,
        {{ text_hash(["title", "body"]) }} as comment_hash,
        {{ iso_timestamp("dateCreated") }} as created_at,
        _changed_at as updated_at,
        coalesce(lower(status), 'approved') = 'approved' as is_published,
        false as is_removed,
        _key
    from {{ source('raw_reviews', 'okendo_reviews') }}
),

earlier_states as (
    select
        _account as account,
        'judge_me' as feedback_source,
        _key,
        rating,
        _valid_from
    from {{ source('raw_reviews', 'judge_me_reviews__history') }}
    union all
    select
        _account as account,
        'yotpo' as feedback_source,
        _key,
        score as rating,
        _valid_from
    from {{ source('raw_reviews', 'yotpo_reviews__history') }}
    union all
    select
        _account as account,
        'okendo' as feedback_source,
        _key,
        rating,
        _valid_from
    from {{ source('raw_reviews', 'okendo_reviews__history') }}
),

first_states as (
    select
        account,
        feedback_source,
        _key,
        min_by(rating, _valid_from) as rating
    from earlier_states
    group by account, feedback_source, _key
),

numbered as (
    select
        current_states.*,
        coalesce(first_states.rating, current_states.rating) as first_rating,
        row_number() over (
            partition by
                current_states.account,
                current_states.feedback_source,
                current_states.review_id
            order by current_states._key
        ) as shown_no
    from current_states
    left join first_states
        on
            current_states.account = first_states.account
            and current_states.feedback_source = first_states.feedback_source
            and current_states._key = first_states._key
),

feedback as (
    select
        'reviews' as connector,
        account,
        cast(null as varchar) as marketplace,
        'product_review' as feedback_kind,
        feedback_source,
        review_id || case when shown_no > 1 then '#' || shown_no else '' end as feedback_id,
        order_ref as order_id,
        cast(null as varchar) as line_id,
        cast(null as varchar) as sku,
        product_ref as listing_id,
        created_at,
        rating as stars,
        cast(null as varchar) as native_sentiment,
        comment_hash,
        case when rating <> first_rating then updated_at end as changed_at,
        case when is_removed then updated_at end as removed_at,
        cast(null as timestamp) as contacted_at,
        cast(null as timestamp) as replied_at,
        is_published,
        first_rating as stars_first,
        review_id as group_ref
    from numbered
)

select * from feedback
