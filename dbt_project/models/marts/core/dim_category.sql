with

named as (
    select * from {{ source('settings', 'category') }}
),

used as (
    select category from {{ ref('int_sku__described') }}
    union
    select category from named
    union
    select parent_category as category from named
    union
    select category from {{ ref('base_files__policies') }}
),

listed as (
    select
        used.category,
        coalesce(named.name_en, used.category) as category_name_en,
        coalesce(named.name_zh, used.category) as category_name_zh,
        coalesce(named.parent_category, 'all') as parent_category,
        coalesce(named.is_hygiene, false) as is_hygiene,
        coalesce(named.is_food, false) as is_food,
        coalesce(named.is_appliance, false) as is_appliance,
        coalesce(named.is_safety_critical, false) as is_safety_critical,
        coalesce(named.opened_not_returnable, false) as opened_not_returnable,
        coalesce(named.has_expiry, false) as has_expiry
    from used
    left join named on used.category = named.category
    where used.category is not null and used.category not in ('unknown', 'none', 'all')
),

reserved as (
    select
        member as category,
        case member when 'unknown' then 'Unknown' when 'none' then 'None' else 'All' end
            as category_name_en,
        case member when 'unknown' then '未知' when 'none' then '无' else '全部' end
            as category_name_zh,
        'all' as parent_category,
        false as is_hygiene,
        false as is_food,
        false as is_appliance,
        false as is_safety_critical,
        false as opened_not_returnable,
        false as has_expiry
    from {{ reserved_members() }}
),

final as (
    select * from listed
    union all
    select * from reserved
)

select * from final
