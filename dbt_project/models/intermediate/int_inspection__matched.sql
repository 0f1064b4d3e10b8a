-- One row per inspection of returned goods that belongs to a known return line.
with

inspections as (
    select * from {{ ref('base_files__return_inspections') }}
),

return_lines as (
    select * from {{ ref('int_return_line__linked') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

refs as (
    select * from {{ ref('int_order_ref__matched') }}
),

marketplaces as (
    select * from {{ ref('dim_marketplace') }}
),

canonical as (
    select
        reason_l2,
        reason_class
    from {{ ref('dim_reason') }}
),

fx_rates as (
    select * from {{ ref('int_fx_rate__daily') }}
),

returned as (
    select
        return_lines.return_line_key,
        return_lines.account,
        return_lines.return_id,
        return_lines.order_key,
        coalesce(order_lines.sku, return_lines.source_sku) as sku,
        return_lines.source_sku,
        return_lines.received_at,
        coalesce(marketplaces.time_zone, 'UTC') as time_zone
    from return_lines
    left join marketplaces on return_lines.marketplace = marketplaces.marketplace
    left join order_lines on return_lines.order_line_key = order_lines.order_line_key
    where not return_lines.is_ambiguous
),

inspected_orders as (
    select
        inspections.*,
        {{ colon_key(["refs.connector", "refs.account", "refs.order_id"]) }} as order_key
    from inspections
    left join refs
        on inspections.account = refs.account and inspections.order_ref = refs.order_ref
),

-- by the return's own number, else by order and SKU: the earliest received return of it
candidates as (
    select
        inspected_orders.inspection_id,
        returned.return_line_key,
        1 as preference,
        returned.received_at,
        returned.time_zone
    from inspected_orders
    inner join returned
        on
            inspected_orders.return_ref = returned.return_id
            and (inspected_orders.account is null or inspected_orders.account = returned.account)
            and inspected_orders.sku in (returned.sku, returned.source_sku)
    union all
    select
        inspected_orders.inspection_id,
        returned.return_line_key,
        2 as preference,
        returned.received_at,
        returned.time_zone
    from inspected_orders
    inner join returned
        on
            inspected_orders.order_key = returned.order_key
            and inspected_orders.sku in (returned.sku, returned.source_sku)
    where inspected_orders.return_ref is null
),

chosen as (
    select *
    from candidates
    qualify row_number() over (
        partition by inspection_id
        order by preference, received_at nulls last, return_line_key
    ) = 1
),

final as (
    select
        chosen.return_line_key,
        inspections.inspection_id,
        inspections.sku,
        inspections.lot_id,
        inspections.quantity,
        inspections.grade,
        inspections.defect_code,
        case
            when inspections.defect_code is null then 'none'
            when canonical.reason_l2 is not null then canonical.reason_l2
            else 'unknown.unmapped'
        end as reason_inspected,
        canonical.reason_class as inspected_class,
        case
            when inspections.next_step = 'missing' then 'missing'
            when inspections.grade in ('A', 'B') then 'sellable'
            when inspections.defect_code like 'product_defect.%' then 'defective'
            else 'customer_damaged'
        end as disposition,
        case when inspections.next_step = 'missing' then 'none' else inspections.next_step end
            as next_step,
        {{ money("inspections.recovered_value * fx_rates.rate_to_reporting") }}
            as recovered_reporting,
        {{ money("inspections.recovered_value") }} as recovered_amount,
        coalesce(inspections.currency, 'unknown') as currency,
        inspections.minutes_spent,
        inspections.inspected_at
    from inspections
    inner join chosen on inspections.inspection_id = chosen.inspection_id
    left join canonical on inspections.defect_code = canonical.reason_l2
    left join fx_rates
        on
            {{ local_date("inspections.inspected_at", "chosen.time_zone") }} = fx_rates.rate_date
            and inspections.currency = fx_rates.currency
)

select * from final
