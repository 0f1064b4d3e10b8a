-- Shares of shipped units by month of shipping, for each SKU and for each SKU on a marketplace: every
-- cohort of the last months, and all of them together. The baseline is what the same mix of
-- marketplaces would give at the rates of the twelve months of mature cohorts before; a SKU that is too
-- new for a baseline of its own is compared with its category. Only what lies above it is given.
with

clock as (
    select
        cast($as_of as date) as today,
        cast(date_trunc('month', $as_of) - interval 3 month as date) as recent_from,
        cast(date_trunc('month', $as_of) - interval 15 month as date) as baseline_from
),

cohorts as (
    select
        base.account,
        base.marketplace,
        base.sku,
        any_value(dim_sku.product_id) as product_id,
        any_value(dim_sku.category) as category,
        any_value(dim_sku.sku_name) as sku_name,
        base.cohort_month,
        sum(base.units_shipped) as shipped,
        sum(base.{units}) as counted,
        sum(case when base.is_mature then base.units_shipped else 0 end) as shipped_mature,
        sum(case when base.is_mature then base.{units} else 0 end) as counted_mature,
        sum(base.net_sales) as net_sales
    from marts.mart_return_base as base
    inner join marts.dim_sku as dim_sku on base.sku = dim_sku.sku
    where base.sku not in ('unknown', 'none', 'all') and base.units_shipped > 0
    group by base.account, base.marketplace, base.sku, base.cohort_month
),

before as (
    select cohorts.*
    from cohorts
    cross join clock
    where cohort_month >= baseline_from and cohort_month < recent_from
),

before_on_marketplace as (
    select
        account,
        marketplace,
        sku,
        sum(counted_mature) as k,
        sum(shipped_mature) as n
    from before
    group by account, marketplace, sku
),

before_of_sku as (
    select
        sku,
        sum(counted_mature) as k,
        sum(shipped_mature) as n
    from before
    group by sku
),

before_of_category as (
    select
        category,
        sum(counted_mature) as k,
        sum(shipped_mature) as n
    from before
    group by category
),

recent as (
    select
        cohorts.*,
        coalesce(before_of_sku.n, 0) >= 200 as is_known,
        case
            when coalesce(before_of_sku.n, 0) >= 200 then before_of_sku.n
            else before_of_category.n
        end as baseline_n,
        -- a marketplace's own rate counts as its units, that of all marketplaces as fifty
        case
            when coalesce(before_of_sku.n, 0) >= 200
                then
                    (coalesce(before_on_marketplace.k, 0) + 50.0 * before_of_sku.k / before_of_sku.n)
                    / (coalesce(before_on_marketplace.n, 0) + 50)
            else before_of_category.k / nullif(before_of_category.n, 0)
        end as expected_rate
    from cohorts
    cross join clock
    left join before_on_marketplace
        on
            cohorts.account = before_on_marketplace.account
            and cohorts.marketplace = before_on_marketplace.marketplace
            and cohorts.sku = before_on_marketplace.sku
    left join before_of_sku on cohorts.sku = before_of_sku.sku
    left join before_of_category on cohorts.category = before_of_category.category
    where cohorts.cohort_month >= clock.recent_from and cohorts.cohort_month <= clock.today
),

summed as (
    select
        sku,
        account,
        marketplace,
        min(cohort_month) as first_month,
        max(cohort_month) as last_month,
        any_value(product_id) as product_id,
        any_value(sku_name) as sku_name,
        cast(sum(counted) as double) as k,
        cast(sum(shipped) as double) as n,
        cast(sum(shipped * expected_rate) as double) as expected,
        cast(min(baseline_n) as double) as baseline_n,
        bool_and(is_known) as is_known,
        sum(net_sales) as net_sales
    from recent
    group by grouping sets (
        (sku, account, marketplace, cohort_month),
        (sku, account, marketplace),
        (sku, cohort_month),
        (sku)
    )
)

select
    case when account is null then 'sku' else 'sku_marketplace' end as entity_type,
    case
        when account is null then sku else concat_ws('|', sku, account, marketplace)
    end as entity_key,
    sku,
    product_id,
    coalesce(account, 'all') as account,
    coalesce(marketplace, 'all') as marketplace,
    k,
    n,
    expected / n as baseline,
    baseline_n,
    case when is_known then 'itself' else 'category' end as baseline_of,
    strftime(first_month, '%Y-%m-%d') as since,
    cast(round(net_sales / n * (k - expected), 4) as decimal(18, 4)) as money,
    case when account is not null then sku end as covered_by,
    sku_name as fact_name,
    case
        when first_month = last_month then strftime(first_month, '%Y-%m')
        else strftime(first_month, '%Y-%m') || ' .. ' || strftime(last_month, '%Y-%m')
    end as fact_months
from summed
where k >= 3 and k > expected
