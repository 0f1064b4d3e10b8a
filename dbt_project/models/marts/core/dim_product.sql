with

periods as (
    select * from {{ ref('int_sku__described') }}
),

-- the newest row of any SKU of the product speaks for it
newest as (
    select *
    from periods
    qualify row_number() over (partition by product_id order by valid_from desc, sku asc) = 1
),

told as (
    select
        product_id,
        min(product_name) as product_name,
        min(brand) as brand,
        min(launch_date) as launch_date
    from periods
    group by product_id
),

listed as (
    select
        newest.product_id,
        coalesce(newest.product_name, told.product_name, newest.sku_name) as product_name,
        coalesce(newest.brand, told.brand, 'unknown') as brand,
        newest.category,
        told.launch_date
    from newest
    inner join told on newest.product_id = told.product_id
),

reserved as (
    select
        member as product_id,
        member as product_name,
        member as brand,
        member as category,
        cast(null as date) as launch_date
    from {{ reserved_members() }}
),

final as (
    select * from listed
    union all
    select * from reserved
)

select * from final
