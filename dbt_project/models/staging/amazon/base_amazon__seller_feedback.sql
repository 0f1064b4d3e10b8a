with

source as (
    select * from {{ source('raw_amazon', 'seller_feedback') }}
),

feedback as (
    select
        _account as account,
        marketplace,
        nullif(trim(order_id), '') as order_id,
        coalesce(
            nullif(trim(order_id), '')
            || case when occurrence > 1 then '#' || cast(occurrence as varchar) else '' end,
            md5(_key)
        ) as feedback_id,
        try_cast(rating as double) as stars,
        nullif(trim(comments), '') as comments,
        {{ iso_time_or_noon('"date"') }} as created_at
    from source
)

select * from feedback
