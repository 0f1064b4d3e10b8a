with

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

allocations as (
    select * from {{ ref('int_lot_allocation__by_pool') }}
),

lots as (
    select
        lot_key,
        unit_landed_cost
    from {{ ref('dim_lot') }}
),

-- units of a lot cost what the lot cost, the others what the product list says
unit_costs as (
    select
        allocations.order_line_key,
        sum(
            cast(allocations.quantity as double)
            * cast(coalesce(lots.unit_landed_cost, order_lines.sku_unit_cost_reporting) as double))
            as cost_of_known,
        sum(case
            when coalesce(lots.unit_landed_cost, order_lines.sku_unit_cost_reporting) is not null
                then allocations.quantity
        end) as units_known
    from allocations
    inner join order_lines on allocations.order_line_key = order_lines.order_line_key
    left join lots on allocations.lot_key = lots.lot_key
    group by allocations.order_line_key
),

final as (
    select
        order_lines.order_line_key,
        order_lines.order_key,
        order_lines.order_id,
        order_lines.order_number,
        order_lines.line_id,
        order_lines.connector,
        order_lines.account,
        order_lines.marketplace,
        order_lines.country,
        order_lines.region,
        order_lines.sku,
        order_lines.product_id,
        order_lines.category,
        order_lines.listing_id,
        order_lines.supplier_id,
        order_lines.customer_key,
        order_lines.order_status,
        order_lines.quantity_ordered,
        order_lines.quantity_cancelled,
        order_lines.quantity_shipped,
        order_lines.currency,
        order_lines.net_amount,
        order_lines.tax_amount,
        order_lines.discount_amount,
        order_lines.shipping_amount,
        order_lines.net_reporting,
        order_lines.shipping_reporting,
        {{ money("coalesce(
            unit_costs.cost_of_known / nullif(unit_costs.units_known, 0),
            order_lines.sku_unit_cost_reporting
        )") }} as unit_landed_cost_reporting,
        order_lines.reporting_currency,
        order_lines.ordered_at,
        order_lines.ordered_date,
        order_lines.paid_at,
        order_lines.cancelled_at,
        order_lines.cancel_reason,
        order_lines.ship_by_at,
        order_lines.promised_at,
        order_lines.promised_date,
        order_lines.shipped_at,
        order_lines.shipped_date,
        order_lines.cohort_month,
        order_lines.delivered_at,
        order_lines.delivered_date,
        order_lines.horizon_start_date,
        order_lines.delivery_date_basis,
        order_lines.horizon_days,
        order_lines.fulfilled_by,
        order_lines.fulfilment_centre_id,
        order_lines.stock_pool,
        order_lines.payment_method,
        order_lines.is_replacement,
        order_lines.is_exchange,
        order_lines.replaces_order_key,
        false as has_override
    from order_lines
    left join unit_costs on order_lines.order_line_key = unit_costs.order_line_key
)

select * from final
