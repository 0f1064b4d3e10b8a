-- Share of negative feedback of the last 30 days, for each SKU with reviews and for each marketplace,
-- against that of the year before. Counted once per group, removed feedback left out.
with

feedback as (
    select
        account,
        marketplace,
        sku,
        product_id,
        feedback_kind,
        is_negative,
        created_date > cast($as_of as date) - 30 as is_recent
    from marts.fct_feedback
    where
        is_counted
        and removed_at is null
        and created_date > cast($as_of as date) - 395
        and created_date <= cast($as_of as date)
),

entities as (
    select
        'sku' as entity_type,
        sku as entity_key,
        sku,
        product_id,
        'all' as account,
        'all' as marketplace,
        is_negative,
        is_recent
    from feedback
    where feedback_kind = 'product_review' and sku not in ('unknown', 'none', 'all')
    union all
    select
        'marketplace' as entity_type,
        concat_ws('|', account, marketplace) as entity_key,
        'all' as sku,
        'all' as product_id,
        account,
        marketplace,
        is_negative,
        is_recent
    from feedback
    where feedback_kind = 'seller_feedback'
),

counted as (
    select
        entity_type,
        entity_key,
        sku,
        any_value(product_id) as product_id,
        account,
        marketplace,
        cast(sum(case when is_recent and is_negative then 1 else 0 end) as double) as k,
        cast(sum(case when is_recent then 1 else 0 end) as double) as n,
        cast(sum(case when not is_recent and is_negative then 1 else 0 end) as double) as k_before,
        cast(sum(case when not is_recent then 1 else 0 end) as double) as n_before
    from entities
    group by entity_type, entity_key, sku, account, marketplace
)

select
    entity_type,
    entity_key,
    sku,
    product_id,
    account,
    marketplace,
    k,
    n,
    k_before / nullif(n_before, 0) as baseline,
    n_before as baseline_n,
    strftime(cast($as_of as date) - 29, '%Y-%m-%d') as since
from counted
where k >= 2 and k * n_before > k_before * n
