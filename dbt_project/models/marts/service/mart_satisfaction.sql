-- One row per account, marketplace, SKU and month. Feedback by the month it was given, surveys by
-- the month they were sent, deliveries by the month of delivery; spam and merged cases left out.
with

order_lines as (
    select * from {{ ref('fct_order_line') }}
),

feedback as (
    select * from {{ ref('fct_feedback') }}
    where is_counted
),

cases as (
    select * from {{ ref('fct_case') }}
    where csat_asked_at is not null and case_status not in ('spam', 'merged')
),

labels as (
    select
        text_hash,
        sentiment
    from {{ ref('fct_text_label') }}
),

skus as (
    select
        sku,
        category
    from {{ ref('dim_sku') }}
),

marketplaces as (
    select * from {{ ref('dim_marketplace') }}
),

delivered as (
    select
        account,
        marketplace,
        sku,
        {{ month_of("delivered_date") }} as month,
        count(distinct order_key) as orders_delivered
    from order_lines
    where delivered_date is not null
    group by account, marketplace, sku, {{ month_of("delivered_date") }}
),

rated as (
    select
        feedback.account,
        feedback.marketplace,
        feedback.sku,
        {{ month_of("feedback.created_date") }} as month,
        count(*) as feedback_n,
        count(*) filter (where feedback.is_negative) as negative_n,
        sum(feedback.stars_now) as stars_sum,
        count(feedback.stars_now) as stars_n,
        count(labels.sentiment) as texts_n,
        count(*) filter (where labels.sentiment = 'negative') as texts_negative,
        count(*) filter (where labels.sentiment = 'neutral') as texts_neutral,
        count(*) filter (where labels.sentiment = 'positive') as texts_positive,
        count(*) filter (where labels.sentiment = 'mixed') as texts_mixed
    from feedback
    left join labels on feedback.text_hash = labels.text_hash and labels.sentiment <> 'und'
    group by
        feedback.account,
        feedback.marketplace,
        feedback.sku,
        {{ month_of("feedback.created_date") }}
),

dated_cases as (
    select
        cases.account,
        cases.marketplace,
        cases.sku,
        cases.is_csat_positive,
        {{ month_of(local_date("cases.csat_asked_at", "coalesce(marketplaces.time_zone, 'UTC')")) }}
            as month
    from cases
    left join marketplaces on cases.marketplace = marketplaces.marketplace
),

asked as (
    select
        account,
        marketplace,
        sku,
        month,
        count(*) as csat_asked,
        count(is_csat_positive) as csat_answers,
        count(*) filter (where is_csat_positive) as csat_positive
    from dated_cases
    group by account, marketplace, sku, month
),

keys as (
    select
        account,
        marketplace,
        sku,
        month
    from delivered
    union
    select
        account,
        marketplace,
        sku,
        month
    from rated
    union
    select
        account,
        marketplace,
        sku,
        month
    from asked
),

final as (
    select
        keys.account,
        keys.marketplace,
        keys.sku,
        coalesce(skus.category, 'unknown') as category,
        keys.month,
        coalesce(delivered.orders_delivered, 0) as orders_delivered,
        coalesce(rated.feedback_n, 0) as feedback_n,
        coalesce(rated.negative_n, 0) as negative_n,
        coalesce(rated.stars_sum, 0) as stars_sum,
        coalesce(rated.stars_n, 0) as stars_n,
        coalesce(asked.csat_asked, 0) as csat_asked,
        coalesce(asked.csat_answers, 0) as csat_answers,
        coalesce(asked.csat_positive, 0) as csat_positive,
        coalesce(rated.texts_n, 0) as texts_n,
        coalesce(rated.texts_negative, 0) as texts_negative,
        coalesce(rated.texts_neutral, 0) as texts_neutral,
        coalesce(rated.texts_positive, 0) as texts_positive,
        coalesce(rated.texts_mixed, 0) as texts_mixed
    from keys
    left join skus on keys.sku = skus.sku
    left join delivered
        on
            keys.account = delivered.account
            and keys.marketplace = delivered.marketplace
            and keys.sku = delivered.sku
            and keys.month = delivered.month
    left join rated
        on
            keys.account = rated.account
            and keys.marketplace = rated.marketplace
            and keys.sku = rated.sku
            and keys.month = rated.month
    left join asked
        on
            keys.account = asked.account
            and keys.marketplace = asked.marketplace
            and keys.sku = asked.sku
            and keys.month = asked.month
)

select * from final
