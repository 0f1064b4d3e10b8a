with

source as (
    select * from {{ source('raw_reviews', 'reasons') }}
),

reasons as (
    select
        'reviews' as connector,
        {{ normalised_reason_code("raw_code") }} as raw_code,
        reason_l2,
        confidence,
        try_cast(valid_from as date) as valid_from
    from source
)

select * from reasons
