with

source as (
    select * from {{ source('raw_files', 'warehouses') }}
),

warehouses as (
    select
        fulfilment_centre_id,
        upper(country) as country,
        name as centre_name,
        nullif(trim(stock_pool), '') as stock_pool,
        coalesce(kind, 'own') as kind,
        team
    from source
)

select * from warehouses
