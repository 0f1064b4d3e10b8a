with

source as (
    select * from {{ source('raw_files', 'products') }}
),

products as (
    select
        sku,
        sku_name,
        sku_name_zh,
        category,
        coalesce(product_id, sku) as product_id,
        product_name,
        variant_size,
        cast(size_order as bigint) as size_order,
        colour,
        brand,
        supplier_id,
        unit_landed_cost,
        currency,
        launch_date,
        cast(weight_g as bigint) as weight_g,
        valid_from
    from source
)

select * from products
