with

batches as (
    select * from {{ ref('base_files__purchase_batches') }}
),

periods as (
    select * from {{ ref('int_sku__described') }}
),

suppliers as (
    select
        supplier_id,
        supplier_name
    from batches
    union all
    select
        supplier_id,
        cast(null as varchar) as supplier_name
    from periods
),

listed as (
    select
        supplier_id,
        coalesce(min(supplier_name), supplier_id) as supplier_name,
        'ZZ' as supplier_country,
        cast(null as varchar) as terms_currency
    from suppliers
    where supplier_id is not null and supplier_id not in ('unknown', 'none', 'all')
    group by supplier_id
),

reserved as (
    select
        member as supplier_id,
        member as supplier_name,
        'ZZ' as supplier_country,
        cast(null as varchar) as terms_currency
    from {{ reserved_members() }}
),

final as (
    select * from listed
    union all
    select * from reserved
)

select * from final
