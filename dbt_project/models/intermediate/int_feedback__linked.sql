-- One row per review or feedback of every source, linked to its order and, where the order has one
-- line only or the source names it, to the line.
with

conformed as (
    {{ union_conformed('feedback') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

orders as (
    select
        connector,
        account,
        order_id,
        min(order_key) as order_key,
        min(country) as country,
        case when count(*) = 1 then min(line_id) end as only_line_id
    from order_lines
    group by connector, account, order_id
),

referenced as (
    select
        conformed.*,
        orders.order_key,
        orders.country,
        coalesce(conformed.line_id, orders.only_line_id) as known_line_id
    from conformed
    left join orders
        on
            conformed.connector = orders.connector
            and conformed.account = orders.account
            and conformed.order_id = orders.order_id
),

marketplaces as (
    select * from {{ ref('dim_marketplace') }}
),

final as (
    select
        {{ colon_key(["referenced.connector", "referenced.account", "referenced.feedback_kind",
            "referenced.feedback_id"]) }} as feedback_key,
        referenced.feedback_kind,
        referenced.feedback_source,
        referenced.feedback_id,
        referenced.account,
        coalesce(referenced.marketplace, 'unknown') as marketplace,
        coalesce(referenced.country, 'ZZ') as country,
        case
            when referenced.order_id is null then 'none'
            else coalesce(referenced.order_key, 'unknown')
        end as order_key,
        case
            when referenced.order_id is null then 'none'
            else coalesce(order_lines.order_line_key, 'unknown')
        end as order_line_key,
        coalesce(order_lines.sku, referenced.sku, 'unknown') as sku,
        coalesce(order_lines.product_id, 'unknown') as product_id,
        coalesce(order_lines.listing_id, referenced.listing_id, 'unknown') as listing_id,
        case when referenced.order_key is not null then 'exact' else 'none' end as link_confidence,
        referenced.created_at,
        {{ local_date("referenced.created_at", "coalesce(marketplaces.time_zone, 'UTC')") }}
            as created_date,
        referenced.stars,
        case
            when referenced.native_sentiment is not null then referenced.native_sentiment
            when referenced.stars <= 2 then 'negative'
            when referenced.stars < 4 then 'neutral'
            when referenced.stars >= 4 then 'positive'
            else 'und'
        end as sentiment,
        case when referenced.native_sentiment is not null then 'code' else 'stars' end
            as sentiment_source,
        coalesce(referenced.comment_hash, 'none') as text_hash,
        referenced.changed_at,
        referenced.removed_at,
        referenced.contacted_at,
        referenced.replied_at,
        referenced.is_published
    from referenced
    left join order_lines
        on
            referenced.connector = order_lines.connector
            and referenced.account = order_lines.account
            and referenced.order_id = order_lines.order_id
            and referenced.known_line_id = order_lines.line_id
    left join marketplaces on referenced.marketplace = marketplaces.marketplace
)

select * from final
