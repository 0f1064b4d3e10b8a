-- One row per SKU and period of the seller's product list. A row without a first day holds from the
-- beginning; a row ends the day before the next one of its SKU begins.
with

products as (
    select * from {{ ref('base_files__products') }}
),

fx_rates as (
    select * from {{ ref('int_fx_rate__daily') }}
),

first_rates as (
    select
        currency,
        min(rate_date) as first_date
    from fx_rates
    where rate_to_reporting is not null
    group by currency
),

periods as (
    select
        *,
        coalesce(valid_from, {{ unknown_date() }}) as period_from,
        lead(coalesce(valid_from, {{ unknown_date() }}))
            over (partition by sku order by coalesce(valid_from, {{ unknown_date() }}))
            as next_from
    from products
),

final as (
    select
        periods.sku,
        periods.period_from as valid_from,
        {{ add_days("periods.next_from", "-1") }} as valid_to,
        periods.sku_name,
        periods.sku_name_zh,
        coalesce(periods.product_id, periods.sku) as product_id,
        periods.product_name,
        coalesce(periods.category, 'unknown') as category,
        periods.variant_size,
        periods.size_order,
        periods.colour,
        periods.brand,
        coalesce(periods.supplier_id, 'unknown') as supplier_id,
        periods.unit_landed_cost as unit_landed_cost_amount,
        periods.currency,
        -- at the rate of the first day of the period, or the first there is
        {{ money("periods.unit_landed_cost * fx_rates.rate_to_reporting") }} as unit_landed_cost,
        periods.weight_g,
        periods.launch_date
    from periods
    left join first_rates on periods.currency = first_rates.currency
    left join fx_rates
        on
            periods.currency = fx_rates.currency
            and greatest(periods.period_from, first_rates.first_date) = fx_rates.rate_date
)

select * from final
