with

reasons as (
    select * from {{ ref('canonical_reasons') }}
),

reserved as (
    select
        member as reason_l2,
        member as reason_l1,
        'unknown' as reason_class,
        case member when 'unknown' then 'Unknown' when 'none' then 'None' else 'All' end
            as reason_name_en,
        case member when 'unknown' then '未知' when 'none' then '无' else '全部' end
            as reason_name_zh,
        'unknown' as controllable_by,
        0 as share_product,
        0 as share_supplier,
        0 as share_listing,
        0 as share_logistics,
        0 as share_warehouse,
        0 as share_customer,
        0 as share_marketplace,
        1 as share_unknown,
        false as is_safety
    from {{ reserved_members() }}
),

final as (
    select
        reason_l2,
        reason_l1,
        reason_class,
        reason_name_en,
        reason_name_zh,
        controllable_by,
        share_product,
        share_supplier,
        share_listing,
        share_logistics,
        share_warehouse,
        share_customer,
        share_marketplace,
        share_unknown,
        is_safety
    from reasons

    union all

    select * from reserved
)

select * from final
