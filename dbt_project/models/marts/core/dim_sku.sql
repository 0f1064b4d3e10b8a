with

skus as (
    select * from {{ ref('int_sku__listed') }}
),

periods as (
    select * from {{ ref('int_sku__described') }}
),

fx_rates as (
    select * from {{ ref('int_fx_rate__daily') }}
    where rate_date = {{ as_of_date() }}
),

settings as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

-- what holds today, or will hold first where nothing does yet
current_periods as (
    select *
    from periods
    qualify
        row_number() over (
            partition by sku
            order by
                case when valid_from <= {{ as_of_date() }} then 0 else 1 end,
                case when valid_from <= {{ as_of_date() }} then valid_from end desc nulls last,
                valid_from
        ) = 1
),

listed as (
    select
        skus.sku,
        coalesce(current_periods.sku_name, skus.sku) as sku_name,
        coalesce(current_periods.product_id, 'unknown') as product_id,
        coalesce(current_periods.category, 'unknown') as category,
        coalesce(current_periods.variant_size, 'unknown') as variant_size,
        current_periods.size_order,
        coalesce(current_periods.colour, 'unknown') as colour,
        coalesce(current_periods.brand, 'unknown') as brand,
        coalesce(current_periods.supplier_id, 'unknown') as supplier_id,
        {{ money("current_periods.unit_landed_cost_amount * fx_rates.rate_to_reporting") }}
            as unit_landed_cost,
        settings.reporting_currency,
        current_periods.weight_g,
        current_periods.launch_date,
        current_periods.sku is not null as is_active,
        coalesce(current_periods.sku_name_zh, current_periods.sku_name, skus.sku) as sku_name_zh
    from skus
    cross join settings
    left join current_periods on skus.sku = current_periods.sku
    left join fx_rates on current_periods.currency = fx_rates.currency
),

reserved as (
    select
        reserved.member as sku,
        reserved.member as sku_name,
        reserved.member as product_id,
        reserved.member as category,
        reserved.member as variant_size,
        cast(null as bigint) as size_order,
        reserved.member as colour,
        reserved.member as brand,
        reserved.member as supplier_id,
        cast(null as decimal(18, 4)) as unit_landed_cost,
        settings.reporting_currency,
        cast(null as bigint) as weight_g,
        cast(null as date) as launch_date,
        false as is_active,
        case reserved.member when 'unknown' then '未知' when 'none' then '无' else '全部' end
            as sku_name_zh
    from {{ reserved_members() }}
    cross join settings
),

final as (
    select * from listed
    union all
    select * from reserved
)

select * from final
