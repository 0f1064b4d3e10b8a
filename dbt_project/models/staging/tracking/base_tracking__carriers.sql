with

carriers as (
    select * from {{ source('raw_tracking', 'carriers') }}
),

words as (
    select
        {{ carrier_word("word") }} as word,
        carrier
    from {{ source('raw_tracking', 'carrier_words') }}
    union
    select
        carrier as word,
        carrier
    from carriers
),

carrier_words as (
    select
        words.word,
        words.carrier,
        carriers.carrier_name,
        carriers.is_express = 'true' as is_express
    from words
    left join carriers on words.carrier = carriers.carrier
    qualify row_number() over (partition by words.word order by words.carrier) = 1
)

select * from carrier_words
