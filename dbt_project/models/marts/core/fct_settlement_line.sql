with

settlement_lines as (
    select * from {{ ref('int_settlement_line__unioned') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

-- settlements name a line by its SKU; the first of several with the same one
lines_by_sku as (
    select
        order_key,
        source_sku,
        min(order_line_key) as order_line_key,
        min(sku) as sku
    from order_lines
    group by order_key, source_sku
),

orders as (
    select
        order_key,
        min(marketplace) as marketplace
    from order_lines
    group by order_key
),

own_skus as (
    select * from {{ ref('int_sku__by_listing') }}
),

marketplaces as (
    select * from {{ ref('dim_marketplace') }}
),

fx_rates as (
    select * from {{ ref('int_fx_rate__daily') }}
),

setting as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

keyed as (
    select
        settlement_lines.*,
        {{ colon_key(["settlement_lines.connector", "settlement_lines.account",
            "settlement_lines.order_id"]) }} as told_order_key
    from settlement_lines
),

linked as (
    select
        keyed.*,
        coalesce(keyed.marketplace, orders.marketplace, 'unknown') as known_marketplace,
        case
            when keyed.order_id is null then 'none'
            else coalesce(orders.order_key, 'unknown')
        end as order_key,
        case
            when keyed.order_id is null then 'none'
            else coalesce(lines_by_sku.order_line_key, 'unknown')
        end as order_line_key,
        coalesce(
            lines_by_sku.sku, own_skus.sku, keyed.sku,
            case when keyed.order_id is null then 'none' end, 'unknown'
        ) as own_sku
    from keyed
    left join orders on keyed.told_order_key = orders.order_key
    left join lines_by_sku
        on
            keyed.told_order_key = lines_by_sku.order_key
            and keyed.sku = lines_by_sku.source_sku
    left join own_skus
        on keyed.account = own_skus.account and keyed.sku = own_skus.listed_sku
),

dated as (
    select
        linked.*,
        {{ local_date("linked.posted_at", "coalesce(marketplaces.time_zone, 'UTC')") }}
            as posted_date
    from linked
    left join marketplaces on linked.known_marketplace = marketplaces.marketplace
),

final as (
    select
        dated.account,
        dated.settlement_id,
        dated.row_no,
        dated.connector,
        dated.known_marketplace as marketplace,
        dated.posted_at,
        dated.posted_date,
        dated.transaction_type,
        dated.amount_type,
        dated.amount_description,
        dated.line_class,
        dated.amount,
        dated.currency,
        {{ money("dated.amount * fx_rates.rate_to_reporting") }} as amount_reporting,
        setting.reporting_currency,
        dated.order_key,
        dated.order_line_key,
        dated.own_sku as sku
    from dated
    cross join setting
    left join fx_rates
        on dated.posted_date = fx_rates.rate_date and dated.currency = fx_rates.currency
)

select * from final
