-- One row per warehouse or fulfilment centre: the pool of stock it belongs to. Named by the
-- settings, else by the file of warehouses, else: a marketplace's centre belongs to its account and
-- region group, an own warehouse is a pool of its own.
with

named_by_settings as (
    select
        fulfilment_centre_id,
        min(stock_pool) as stock_pool
    from {{ source('settings', 'stock_pool') }}
    group by fulfilment_centre_id
),

warehouses as (
    select * from {{ ref('base_files__warehouses') }}
),

receipts as (
    select * from {{ ref('base_files__goods_receipts') }}
),

order_lines as (
    select * from {{ ref('int_order_line__unioned') }}
),

groups as (
    select * from {{ ref('int_marketplace__grouped') }}
),

account_groups as (
    select * from {{ ref('int_account__grouped') }}
),

centres as (
    select fulfilment_centre_id from warehouses
    union
    select fulfilment_centre_id from receipts
    union
    select fulfilment_centre_id from named_by_settings
    union
    select fulfilment_centre_id from order_lines
    where fulfilment_centre_id <> 'unknown'
),

-- what was shipped from a centre by a marketplace says whose region it serves
seen_groups as (
    select
        order_lines.fulfilment_centre_id,
        order_lines.account,
        groups.region_group,
        count(*) as lines
    from order_lines
    inner join groups on order_lines.marketplace = groups.marketplace
    where order_lines.fulfilled_by = 'marketplace' and order_lines.fulfilment_centre_id <> 'unknown'
    group by order_lines.fulfilment_centre_id, order_lines.account, groups.region_group
),

seen as (
    select *
    from seen_groups
    qualify row_number() over (
        partition by fulfilment_centre_id order by lines desc, account asc, region_group asc
    ) = 1
),

-- a receipt that names an account of a marketplace
received_for as (
    select
        receipts.fulfilment_centre_id,
        min(receipts.account) as account,
        min(coalesce(groups.region_group, account_groups.region_group)) as region_group
    from receipts
    inner join account_groups on receipts.account = account_groups.account
    left join groups on receipts.marketplace = groups.marketplace
    group by receipts.fulfilment_centre_id
),

final as (
    select
        centres.fulfilment_centre_id,
        coalesce(named_by_settings.stock_pool, warehouses.stock_pool) as named_pool,
        coalesce(
            warehouses.kind,
            case
                when
                    seen.fulfilment_centre_id is not null
                    or received_for.fulfilment_centre_id is not null then 'marketplace'
            end,
            'own'
        ) as centre_kind,
        coalesce(seen.account, received_for.account) as marketplace_account,
        coalesce(seen.region_group, received_for.region_group) as region_group
    from centres
    left join named_by_settings
        on centres.fulfilment_centre_id = named_by_settings.fulfilment_centre_id
    left join warehouses on centres.fulfilment_centre_id = warehouses.fulfilment_centre_id
    left join seen on centres.fulfilment_centre_id = seen.fulfilment_centre_id
    left join received_for on centres.fulfilment_centre_id = received_for.fulfilment_centre_id
)

select
    *,
    coalesce(
        named_pool,
        case
            when centre_kind = 'marketplace' and marketplace_account is not null
                then {{ key_part("marketplace_account") }} || '|' || region_group
        end,
        fulfilment_centre_id
    ) as stock_pool
from final
