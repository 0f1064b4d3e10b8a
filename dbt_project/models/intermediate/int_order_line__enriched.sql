-- One row per ordered line with what the night adds: the seller's SKU and its category, local
-- dates, the start and length of the return horizon, reporting currency, pool of stock, the order
-- that it replaces.
with

order_lines as (
    select * from {{ ref('int_order_line__unioned') }}
),

parcel_lines as (
    select * from {{ ref('int_parcel_line__linked') }}
),

parcels as (
    select * from {{ ref('int_parcel__measured') }}
),

setting as (
    select * from {{ source('settings', 'setting') }}
),

horizons as (
    select * from {{ source('settings', 'horizon') }}
),

marketplaces as (
    select * from {{ ref('dim_marketplace') }}
),

countries as (
    select * from {{ ref('dim_country') }}
),

sku_map as (
    select * from {{ ref('base_files__sku_map') }}
    where listing_kind = 'channel_sku'
),

sku_history as (
    select * from {{ ref('dim_sku_history') }}
),

fx_rates as (
    select * from {{ ref('int_fx_rate__daily') }}
),

links as (
    select * from {{ ref('int_order_link__resolved') }}
),

-- lines sent instead of returned goods within the same order
exchange_lines as (
    select * from {{ ref('int_exchange_line__unioned') }}
),

order_keys as (
    select distinct order_key from order_lines
),

unit_costs as (
    select * from {{ ref('int_unit_cost__dated') }}
),

centres as (
    select * from {{ ref('int_stock_pool__by_centre') }}
),

groups as (
    select * from {{ ref('int_marketplace__grouped') }}
),

-- where a seller-fulfilled line does not tell its warehouse: the only pool there is
only_own_pool as (
    select case when count(distinct stock_pool) = 1 then min(stock_pool) end as stock_pool
    from centres
    where centre_kind <> 'marketplace'
),

-- what the parcels of a line tell; of its delivery once all have come to an end
carried as (
    select
        parcel_lines.order_line_key,
        case
            when
                count(*)
                = count(coalesce(cast(parcels.delivered_at as varchar), parcels.undelivered_kind))
                then max(parcels.delivered_at)
        end as delivered_at,
        sum(parcel_lines.quantity) as units_in_parcels,
        coalesce(
            sum(case when parcels.undelivered_kind is not null then parcel_lines.quantity end), 0
        ) as units_undelivered,
        count(parcel_lines.quantity) as parcels_with_units,
        count(*) as parcels
    from parcel_lines
    inner join parcels on parcel_lines.parcel_key = parcels.parcel_key
    where parcel_lines.direction <> 'return' and parcel_lines.order_line_key is not null
    group by parcel_lines.order_line_key
),

-- what the marketplace says of the delivery; where it says nothing, what the carriers say
arrived as (
    select
        order_lines.* exclude (delivered_at),
        case
            when order_lines.delivered_at is not null then order_lines.delivered_at
            when
                carried.parcels_with_units < carried.parcels
                or carried.units_in_parcels >= order_lines.quantity_shipped
                then carried.delivered_at
        end as delivered_at,
        cast(
            least(
                greatest(
                    order_lines.is_undelivered_units, coalesce(carried.units_undelivered, 0)
                ),
                order_lines.quantity_shipped
            ) as bigint
        ) as quantity_undelivered
    from order_lines
    left join carried on order_lines.order_line_key = carried.order_line_key
),

dated as (
    select
        arrived.*,
        coalesce(countries.region, 'unknown') as region,
        coalesce(marketplaces.time_zone, 'UTC') as time_zone,
        coalesce(countries.time_zone, marketplaces.time_zone, 'UTC') as destination_zone
    from arrived
    left join marketplaces on arrived.marketplace = marketplaces.marketplace
    left join countries on arrived.country = countries.country
),

local_dates as (
    select
        *,
        {{ local_date("ordered_at", "time_zone") }} as ordered_date,
        {{ local_date("shipped_at", "time_zone") }} as shipped_date,
        {{ local_date("delivered_at", "destination_zone") }} as delivered_date,
        {{ local_date("promised_at", "destination_zone") }} as promised_date
    from dated
),

-- a listing text that the seller's map gives to exactly one SKU on the day of the order
mapped_skus as (
    select
        local_dates.order_line_key,
        min(sku_map.sku) as sku
    from local_dates
    inner join sku_map
        on
            local_dates.account = sku_map.account
            and local_dates.sku = sku_map.listing_id
            and (sku_map.marketplace is null or local_dates.marketplace = sku_map.marketplace)
            and (sku_map.valid_from is null or local_dates.ordered_date >= sku_map.valid_from)
            and (sku_map.valid_to is null or local_dates.ordered_date < sku_map.valid_to)
    group by local_dates.order_line_key
    having count(distinct sku_map.sku) = 1
),

with_sku as (
    select
        local_dates.*,
        coalesce(mapped_skus.sku, local_dates.sku) as own_sku
    from local_dates
    left join mapped_skus on local_dates.order_line_key = mapped_skus.order_line_key
),

with_product as (
    select
        with_sku.*,
        coalesce(sold.product_id, 'unknown') as product_id,
        coalesce(sold.category, 'unknown') as category,
        coalesce(sold.supplier_id, 'unknown') as supplier_id,
        coalesce(at_shipping.unit_landed_cost_amount, unit_costs.unit_cost)
            as sku_unit_cost_amount,
        case
            when at_shipping.unit_landed_cost_amount is null then unit_costs.currency
            else at_shipping.currency
        end as sku_unit_cost_currency
    from with_sku
    left join sku_history as sold
        on
            with_sku.own_sku = sold.sku
            and with_sku.ordered_date >= sold.valid_from
            and with_sku.ordered_date <= coalesce(sold.valid_to, cast('9999-12-31' as date))
    left join sku_history as at_shipping
        on
            with_sku.own_sku = at_shipping.sku
            and coalesce(with_sku.shipped_date, with_sku.ordered_date) >= at_shipping.valid_from
            and coalesce(with_sku.shipped_date, with_sku.ordered_date)
            <= coalesce(at_shipping.valid_to, cast('9999-12-31' as date))
    left join unit_costs
        on
            with_sku.own_sku = unit_costs.sku
            and coalesce(with_sku.shipped_date, with_sku.ordered_date) >= unit_costs.valid_from
            and coalesce(with_sku.shipped_date, with_sku.ordered_date)
            <= coalesce(unit_costs.valid_to, cast('9999-12-31' as date))
),

-- the most specific horizon in force on the day of the sale
line_horizons as (
    select
        with_product.order_line_key,
        horizons.days
    from with_product
    inner join horizons
        on
            (horizons.category is null or with_product.category = horizons.category)
            and (horizons.marketplace is null or with_product.marketplace = horizons.marketplace)
            and (horizons.valid_from is null or with_product.ordered_date >= horizons.valid_from)
    qualify row_number() over (
        partition by with_product.order_line_key
        order by
            case when horizons.marketplace is not null then 2 else 0 end
            + case when horizons.category is not null then 1 else 0 end desc,
            horizons.valid_from desc nulls last,
            horizons.days desc
    ) = 1
),

started as (
    select
        with_product.*,
        case
            when with_product.quantity_shipped = 0 then null
            when with_product.delivered_date is not null then with_product.delivered_date
            when with_product.estimated_delivery_date is not null
                then with_product.estimated_delivery_date
            else {{ add_days("with_product.shipped_date", "setting.assumed_transit_days") }}
        end as horizon_start_date,
        case
            when with_product.quantity_shipped = 0 then null
            when with_product.delivered_date is not null then 'actual'
            when with_product.estimated_delivery_date is not null then 'marketplace_estimate'
            else 'assumed'
        end as delivery_date_basis,
        setting.reporting_currency,
        setting.return_horizon_days
    from with_product
    cross join setting
),

final as (
    select
        started.order_line_key,
        started.order_key,
        started.order_id,
        started.order_number,
        started.line_id,
        started.connector,
        started.account,
        started.marketplace,
        started.country,
        started.region,
        started.own_sku as sku,
        started.sku as source_sku,
        started.product_id,
        started.category,
        started.listing_id,
        started.supplier_id,
        started.customer_key,
        started.order_status,
        started.quantity_ordered,
        started.quantity_cancelled,
        started.quantity_shipped,
        started.quantity_undelivered,
        started.currency,
        started.net_amount,
        started.tax_amount,
        started.discount_amount,
        started.shipping_amount,
        {{ money("started.net_amount * fx_rates.rate_to_reporting") }} as net_reporting,
        {{ money("started.shipping_amount * fx_rates.rate_to_reporting") }} as shipping_reporting,
        fx_rates.rate_to_reporting as order_rate_to_reporting,
        {{ money("started.sku_unit_cost_amount * cost_rates.rate_to_reporting") }}
            as sku_unit_cost_reporting,
        started.reporting_currency,
        started.ordered_at,
        started.ordered_date,
        started.paid_at,
        started.cancelled_at,
        started.cancel_reason,
        started.ship_by_at,
        started.promised_at,
        started.promised_date,
        case when started.quantity_shipped > 0 then started.shipped_at end as shipped_at,
        case when started.quantity_shipped > 0 then started.shipped_date end as shipped_date,
        case
            when started.quantity_shipped > 0 and started.shipped_date is not null
                then {{ month_of("started.shipped_date") }}
            else {{ unknown_date() }}
        end as cohort_month,
        started.delivered_at,
        started.delivered_date,
        started.horizon_start_date,
        started.delivery_date_basis,
        coalesce(line_horizons.days, started.return_horizon_days) as horizon_days,
        started.fulfilled_by,
        started.fulfilment_centre_id,
        case
            when centres.named_pool is not null then centres.named_pool
            when started.fulfilled_by = 'marketplace'
                then
                    {{ key_part("started.account") }} || '|'
                    || coalesce(groups.region_group, 'all')
            when started.fulfilment_centre_id <> 'unknown' then started.fulfilment_centre_id
            else coalesce(only_own_pool.stock_pool, 'unknown')
        end as stock_pool,
        started.payment_method,
        coalesce(links.link_kind = 'replacement', false) as is_replacement,
        coalesce(links.link_kind = 'exchange', false)
        or exchange_lines.order_line_key is not null as is_exchange,
        case
            when exchange_lines.order_line_key is not null then started.order_key
            when links.order_key is null then 'none'
            when order_keys.order_key is null then 'unknown'
            else links.original_order_key
        end as replaces_order_key,
        started.gives_requests,
        started.gives_receipts,
        started.time_zone
    from started
    cross join only_own_pool
    left join fx_rates
        on started.ordered_date = fx_rates.rate_date and started.currency = fx_rates.currency
    left join fx_rates as cost_rates
        on
            coalesce(started.shipped_date, started.ordered_date) = cost_rates.rate_date
            and started.sku_unit_cost_currency = cost_rates.currency
    left join line_horizons on started.order_line_key = line_horizons.order_line_key
    left join centres on started.fulfilment_centre_id = centres.fulfilment_centre_id
    left join groups on started.marketplace = groups.marketplace
    left join links on started.order_key = links.order_key
    left join exchange_lines on started.order_line_key = exchange_lines.order_line_key
    left join order_keys on links.original_order_key = order_keys.order_key
)

select * from final
