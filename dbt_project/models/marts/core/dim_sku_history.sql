with

periods as (
    select * from {{ ref('int_sku__described') }}
),

settings as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

listed as (
    select
        periods.sku,
        periods.valid_from,
        periods.valid_to,
        periods.supplier_id,
        periods.product_id,
        periods.category,
        periods.unit_landed_cost,
        settings.reporting_currency,
        'active' as sku_status,
        periods.unit_landed_cost_amount,
        coalesce(periods.currency, 'unknown') as currency
    from periods
    cross join settings
),

reserved as (
    select
        reserved.member as sku,
        {{ unknown_date() }} as valid_from,
        cast(null as date) as valid_to,
        reserved.member as supplier_id,
        reserved.member as product_id,
        reserved.member as category,
        cast(null as decimal(18, 4)) as unit_landed_cost,
        settings.reporting_currency,
        reserved.member as sku_status,
        cast(null as decimal(18, 4)) as unit_landed_cost_amount,
        reserved.member as currency
    from {{ reserved_members() }}
    cross join settings
),

final as (
    select * from listed
    union all
    select * from reserved
)

select * from final
