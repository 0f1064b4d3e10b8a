with

source as (
    select * from {{ source('raw_shopify', 'unit_costs') }}
),

costs as (
    select
        source._account as account,
        {{ gid_number("id") }} as item_id,
        coalesce(nullif(trim(source.sku), ''), 'unknown') as sku,
        cast({{ iso_timestamp("updatedAt") }} as date) as as_of_date,
        try_cast(unitCost.amount as decimal(18, 4)) as unit_cost,
        unitCost.currencyCode as currency,
        {{ iso_timestamp("updatedAt") }} as updated_at
    from source
),

unit_costs as (
    select
        'shopify' as connector,
        account,
        sku,
        as_of_date,
        unit_cost,
        currency
    from costs
    where unit_cost is not null and sku <> 'unknown'
    -- one SKU of two items, or one item changed twice a day: the last change
    qualify
        row_number() over (
            partition by account, sku, as_of_date order by updated_at desc, item_id asc
        ) = 1
)

select * from unit_costs
