-- One row per review or feedback of every source, linked to its order and, where the order has one
-- line only or the source names its line or SKU, to the line; else to the product that it names.
with

conformed as (
    {{ union_conformed('feedback') }}
),

product_refs as (
    {{ union_conformed('product_refs') }}
),

sku_map as (
    select * from {{ ref('base_files__sku_map') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

refs as (
    select * from {{ ref('int_order_ref__matched') }}
),

marketplaces as (
    select * from {{ ref('dim_marketplace') }}
),

sku_products as (
    select
        sku,
        product_id
    from {{ ref('dim_sku') }}
),

sellers as (
    select distinct
        connector,
        account
    from order_lines
),

own_skus as (
    select distinct
        connector,
        account,
        marketplace,
        source_sku,
        sku,
        listing_id
    from order_lines
),

-- what a product's number in the channel holds: as the channel, the seller's map and orders tell it
held as (
    select
        product_refs.account,
        product_refs.marketplace,
        product_refs.product_ref,
        coalesce(own_skus.sku, product_refs.sku) as sku
    from product_refs
    left join own_skus
        on
            product_refs.connector = own_skus.connector
            and product_refs.account = own_skus.account
            and product_refs.sku = own_skus.source_sku
    union
    select
        account,
        marketplace,
        listing_id as product_ref,
        sku
    from sku_map
    union
    select
        account,
        marketplace,
        listing_id as product_ref,
        sku
    from own_skus
    where listing_id not in ('unknown', 'none', 'all')
    union
    -- where an app gives the SKU itself for the product's number
    select
        account,
        marketplace,
        source_sku as product_ref,
        sku
    from own_skus
),

keyed as (
    select
        conformed.*,
        {{ colon_key(["conformed.connector", "conformed.account", "conformed.feedback_kind"]) }}
        || case
            when conformed.feedback_source = conformed.connector then ''
            else ':' || {{ key_part("conformed.feedback_source") }}
        end
        || ':' || {{ key_part("conformed.feedback_id") }} as feedback_key,
        sellers.account is not null as is_of_seller
    from conformed
    left join sellers
        on conformed.connector = sellers.connector and conformed.account = sellers.account
),

-- a review app names a product by the number of the shop, whichever shop of the seller it is
products as (
    select
        keyed.feedback_key,
        case when count(distinct held.sku) = 1 then min(held.sku) end as sku,
        case
            when count(distinct sku_products.product_id) = 1 then min(sku_products.product_id)
        end as product_id,
        case when count(distinct held.account) = 1 then min(held.account) end as account,
        case when count(distinct held.marketplace) = 1 then min(held.marketplace) end
            as marketplace
    from keyed
    inner join held
        on
            keyed.listing_id = held.product_ref
            and (not keyed.is_of_seller or keyed.account = held.account)
    left join sku_products on held.sku = sku_products.sku
    group by keyed.feedback_key
),

referenced as (
    select
        keyed.*,
        coalesce(own_refs.order_key, any_refs.order_key) as order_key
    from keyed
    left join refs as own_refs
        on
            keyed.connector = own_refs.connector
            and keyed.account = own_refs.account
            and keyed.order_id = own_refs.order_ref
    left join refs as any_refs
        on
            any_refs.connector = 'all'
            and case when not keyed.is_of_seller then keyed.order_id end = any_refs.order_ref
),

candidates as (
    select
        referenced.feedback_key,
        order_lines.order_key,
        order_lines.order_line_key,
        order_lines.account,
        order_lines.marketplace,
        order_lines.country,
        order_lines.sku,
        order_lines.product_id,
        order_lines.listing_id,
        case
            when order_lines.line_id = referenced.line_id then 1
            when referenced.sku in (order_lines.sku, order_lines.source_sku) then 2
            when order_lines.sku = products.sku then 2
            else 3
        end as preference
    from referenced
    inner join order_lines on referenced.order_key = order_lines.order_key
    left join products on referenced.feedback_key = products.feedback_key
),

preferred as (
    select *
    from candidates
    qualify preference = min(preference) over (partition by feedback_key)
),

linked as (
    select
        feedback_key,
        min(order_key) as order_key,
        min(account) as account,
        min(marketplace) as marketplace,
        min(country) as country,
        case when count(*) = 1 then min(order_line_key) end as order_line_key,
        case when count(*) = 1 then min(sku) end as sku,
        case when count(*) = 1 then min(product_id) end as product_id,
        case when count(*) = 1 then min(listing_id) end as listing_id
    from preferred
    group by feedback_key
),

placed as (
    select
        referenced.*,
        linked.order_key as known_order_key,
        linked.order_line_key,
        linked.country,
        case
            when referenced.is_of_seller then referenced.account
            else coalesce(linked.account, products.account, referenced.account)
        end as known_account,
        coalesce(
            referenced.marketplace, linked.marketplace, products.marketplace, 'unknown'
        ) as known_marketplace,
        coalesce(linked.sku, referenced.sku, products.sku, 'unknown') as known_sku,
        coalesce(linked.product_id, products.product_id) as linked_product_id,
        coalesce(linked.listing_id, referenced.listing_id, 'unknown') as known_listing_id,
        products.feedback_key is not null as is_product_known
    from referenced
    left join linked on referenced.feedback_key = linked.feedback_key
    left join products on referenced.feedback_key = products.feedback_key
),

sold_skus as (
    select distinct sku from order_lines
    where sku not in ('unknown', 'none', 'all')
),

final as (
    select
        placed.feedback_key,
        placed.feedback_kind,
        placed.feedback_source,
        placed.feedback_id,
        placed.known_account as account,
        placed.known_marketplace as marketplace,
        coalesce(placed.country, 'ZZ') as country,
        case
            when placed.order_id is null then 'none'
            else coalesce(placed.known_order_key, 'unknown')
        end as order_key,
        case
            when placed.order_id is null then 'none'
            else coalesce(placed.order_line_key, 'unknown')
        end as order_line_key,
        placed.known_sku as sku,
        coalesce(placed.linked_product_id, sku_products.product_id, 'unknown') as product_id,
        placed.known_listing_id as listing_id,
        case
            when placed.known_order_key is not null then 'exact'
            when placed.is_product_known or sold_skus.sku is not null then 'product'
            when placed.sku is not null then 'weak'
            else 'none'
        end as link_confidence,
        coalesce(
            {{ colon_key(["placed.connector", "placed.account", "placed.feedback_source",
                "placed.group_ref"]) }},
            placed.feedback_key
        ) as counted_once_group,
        placed.created_at,
        {{ local_date("placed.created_at", "coalesce(marketplaces.time_zone, 'UTC')") }}
            as created_date,
        placed.stars_first,
        placed.stars,
        case
            when placed.native_sentiment is not null then placed.native_sentiment
            when placed.stars <= 2 then 'negative'
            when placed.stars < 4 then 'neutral'
            when placed.stars >= 4 then 'positive'
            else 'und'
        end as sentiment,
        case when placed.native_sentiment is not null then 'code' else 'stars' end
            as sentiment_source,
        coalesce(placed.comment_hash, 'none') as text_hash,
        placed.changed_at,
        placed.removed_at,
        placed.contacted_at,
        placed.replied_at,
        placed.is_published
    from placed
    left join marketplaces on placed.known_marketplace = marketplaces.marketplace
    left join sku_products on placed.known_sku = sku_products.sku
    left join sold_skus on placed.known_sku = sold_skus.sku
)

select * from final
