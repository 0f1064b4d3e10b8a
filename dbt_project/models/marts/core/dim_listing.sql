with

sku_map as (
    select * from {{ ref('base_files__sku_map') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

-- what the seller says a listing holds; without a marketplace it holds for all of the account's
mapped as (
    select
        coalesce(marketplace, 'all') as marketplace,
        account,
        listing_id,
        case listing_kind when 'channel_sku' then 'sku' else listing_kind end as listing_kind,
        sku,
        units_per_listing,
        coalesce(valid_from, {{ unknown_date() }}) as valid_from,
        -- the file's valid_to is the first day without validity
        {{ add_days("valid_to", "-1") }} as valid_to
    from sku_map
),

-- what orders show it held
sold as (
    select distinct
        marketplace,
        account,
        listing_id,
        case connector
            when 'amazon' then 'asin'
            when 'ebay' then 'item_id'
            when 'shopify' then 'variant_id'
            when 'walmart' then 'wpid'
            else 'other'
        end as listing_kind,
        sku,
        1 as units_per_listing,
        {{ unknown_date() }} as valid_from,
        cast(null as date) as valid_to
    from order_lines
    where listing_id not in ('unknown', 'none', 'all')
),

-- a line that does not tell its listing still joins within its marketplace and account
untold as (
    select distinct
        marketplace,
        account,
        listing_id,
        'other' as listing_kind,
        'unknown' as sku,
        cast(null as bigint) as units_per_listing,
        {{ unknown_date() }} as valid_from,
        cast(null as date) as valid_to
    from order_lines
    where listing_id in ('unknown', 'none', 'all')
),

reserved as (
    select
        member as marketplace,
        member as account,
        member as listing_id,
        'other' as listing_kind,
        member as sku,
        cast(null as bigint) as units_per_listing,
        {{ unknown_date() }} as valid_from,
        cast(null as date) as valid_to
    from {{ reserved_members() }}
),

all_listings as (
    select
        mapped.*,
        1 as preference
    from mapped

    union all

    select
        sold.*,
        2 as preference
    from sold

    union all

    select
        untold.*,
        3 as preference
    from untold

    union all

    select
        reserved.*,
        4 as preference
    from reserved
),

final as (
    select
        marketplace,
        account,
        listing_id,
        listing_kind,
        sku,
        units_per_listing,
        cast(null as varchar) as listing_url,
        valid_from,
        valid_to
    from all_listings
    qualify
        row_number() over (
            partition by marketplace, account, listing_id, sku, valid_from
            order by preference, listing_kind
        ) = 1
)

select * from final
