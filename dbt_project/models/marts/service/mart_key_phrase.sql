-- One row per SKU, language, phrase and month: phrases that mark a product, three texts at least. A
-- phrase is compared with the texts of all other SKUs of its category in the same language.
with

mentions as (
    select distinct
        text_hash,
        sku,
        customer_key,
        {{ month_of("first_evidence_date") }} as month
    from {{ ref('fct_return_line') }}
    where text_hash <> 'none' and sku <> 'unknown'
    union distinct
    select distinct
        text_hash,
        sku,
        'unknown' as customer_key,
        {{ month_of("created_date") }} as month
    from {{ ref('fct_feedback') }}
    where text_hash <> 'none' and sku <> 'unknown'
),

categories as (
    select
        sku,
        category
    from {{ ref('dim_sku') }}
),

labels as (
    select
        text_hash,
        language,
        sentiment
    from {{ ref('fct_text_label') }}
),

texts as (
    select
        mentions.text_hash,
        mentions.sku,
        mentions.month,
        mentions.customer_key,
        categories.category,
        labels.language,
        labels.sentiment
    from mentions
    inner join categories on mentions.sku = categories.sku
    inner join labels on mentions.text_hash = labels.text_hash
),

phrases as (
    select * from {{ source('load', 'text_phrase') }}
),

found as (
    select
        texts.*,
        phrases.phrase
    from texts
    inner join phrases on texts.text_hash = phrases.text_hash
),

counted as (
    select
        sku,
        category,
        month,
        language,
        phrase,
        count(distinct text_hash) as texts,
        count(distinct case when customer_key <> 'unknown' then customer_key end) as customers,
        count(distinct case when sentiment = 'negative' then text_hash end) as negative_texts
    from found
    group by sku, category, month, language, phrase
    having count(distinct text_hash) >= 3
),

-- a phrase inside a longer one of the same texts says nothing more
longest as (
    select *
    from counted
    where
        not exists (
            select 1
            from counted as longer
            where
                counted.sku = longer.sku
                and counted.month = longer.month
                and counted.language = longer.language
                and counted.texts = longer.texts
                and counted.phrase <> longer.phrase
                and position(counted.phrase in longer.phrase) > 0
        )
),

sizes as (
    select
        sku,
        category,
        month,
        language,
        count(distinct text_hash) as all_texts
    from texts
    group by sku, category, month, language
),

of_category as (
    select
        category,
        language,
        sku,
        count(distinct text_hash) as all_texts
    from texts
    group by category, language, sku
),

phrase_of_category as (
    select
        category,
        language,
        sku,
        phrase,
        count(distinct text_hash) as texts
    from found
    group by category, language, sku, phrase
),

others as (
    select
        longest.sku,
        longest.month,
        longest.language,
        longest.phrase,
        coalesce(sum(phrase_of_category.texts), 0) as texts
    from longest
    left join phrase_of_category
        on
            longest.category = phrase_of_category.category
            and longest.language = phrase_of_category.language
            and longest.phrase = phrase_of_category.phrase
            and longest.sku <> phrase_of_category.sku
    group by longest.sku, longest.month, longest.language, longest.phrase
),

other_sizes as (
    select
        sizes.sku,
        sizes.month,
        sizes.language,
        coalesce(sum(of_category.all_texts), 0) as all_texts
    from sizes
    left join of_category
        on
            sizes.category = of_category.category
            and sizes.language = of_category.language
            and sizes.sku <> of_category.sku
    group by sizes.sku, sizes.month, sizes.language
),

compared as (
    select
        longest.*,
        longest.texts + 0.5 as here,
        greatest(sizes.all_texts - longest.texts, 0) + 0.5 as not_here,
        others.texts + 0.5 as there,
        greatest(other_sizes.all_texts - others.texts, 0) + 0.5 as not_there
    from longest
    inner join sizes
        on
            longest.sku = sizes.sku
            and longest.month = sizes.month
            and longest.language = sizes.language
    inner join others
        on
            longest.sku = others.sku
            and longest.month = others.month
            and longest.language = others.language
            and longest.phrase = others.phrase
    inner join other_sizes
        on
            longest.sku = other_sizes.sku
            and longest.month = other_sizes.month
            and longest.language = other_sizes.language
),

weighed as (
    select
        *,
        ln(here / not_here) - ln(there / not_there) as log_odds,
        sqrt(1 / here + 1 / not_here + 1 / there + 1 / not_there) as standard_error
    from compared
),

ranked as (
    select *
    from weighed
    qualify row_number() over (
        partition by sku, month, language
        order by log_odds / standard_error desc, texts desc, phrase asc
    ) <= 20
),

distinct_texts as (
    select distinct
        sku,
        month,
        language,
        phrase,
        text_hash
    from found
),

numbered as (
    select
        sku,
        month,
        language,
        phrase,
        text_hash,
        row_number() over (
            partition by sku, month, language, phrase order by text_hash
        ) as number
    from distinct_texts
),

examples as (
    select
        sku,
        month,
        language,
        phrase,
        max(case when number = 1 then text_hash end) as example_hash_1,
        max(case when number = 2 then text_hash end) as example_hash_2,
        max(case when number = 3 then text_hash end) as example_hash_3
    from numbered
    where number <= 3
    group by sku, month, language, phrase
),

final as (
    select
        ranked.sku,
        ranked.category,
        ranked.month,
        ranked.language,
        ranked.phrase,
        ranked.texts,
        greatest(ranked.customers, 1) as customers,
        ranked.negative_texts,
        ranked.log_odds,
        ranked.log_odds / ranked.standard_error as log_odds_z,
        examples.example_hash_1,
        examples.example_hash_2,
        examples.example_hash_3
    from ranked
    inner join examples
        on
            ranked.sku = examples.sku
            and ranked.month = examples.month
            and ranked.language = examples.language
            and ranked.phrase = examples.phrase
)

select * from final
