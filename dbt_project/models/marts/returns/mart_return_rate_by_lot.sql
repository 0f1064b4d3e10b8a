with

lines as (
    select * from {{ ref('int_return_count__by_line') }}
),

allocations as (
    select * from {{ ref('int_lot_allocation__by_pool') }}
),

return_lines as (
    select * from {{ ref('int_return_line__classed') }}
),

return_lots as (
    select * from {{ ref('int_return_lot__shared') }}
),

lots as (
    select * from {{ ref('dim_lot') }}
),

setting as (
    select * from {{ source('settings', 'setting') }}
),

shipped_units as (
    select
        allocations.lot_key,
        lines.sku,
        allocations.quantity,
        allocations.quantity_lifo,
        allocations.allocation_method,
        allocations.time_violation,
        lines.is_mature,
        lines.shipped_date,
        {{ days_between("lines.horizon_start_date", "lots.expiry_date") }} as days_to_expiry,
        lots.min_days_to_expiry
    from allocations
    inner join lines on allocations.order_line_key = lines.order_line_key
    left join lots on allocations.lot_key = lots.lot_key
),

shipped as (
    select
        lot_key,
        min(sku) as sku,
        sum(quantity) as units_shipped,
        sum(case when is_mature then quantity else 0 end) as units_shipped_mature,
        bool_and(is_mature or quantity = 0) as is_mature,
        min(case when quantity > 0 then shipped_date end) as first_shipped_date,
        max(case when quantity > 0 then shipped_date end) as last_shipped_date,
        sum(case when allocation_method in ('scanned', 'single_lot') then quantity else 0 end)
            as units_scanned,
        sum(
            case
                when allocation_method in ('fefo_estimate', 'fifo_estimate') then quantity
                else 0
            end
        ) as units_estimated,
        sum(case when time_violation then quantity else 0 end) as units_early,
        sum(case when days_to_expiry < min_days_to_expiry then quantity else 0 end)
            as units_short_dated,
        sum(case when days_to_expiry is not null then quantity * days_to_expiry end)
            as days_to_expiry_sum,
        sum(case when days_to_expiry is not null then quantity end) as units_with_expiry
    from shipped_units
    group by lot_key
),

methods as (
    select
        lot_key,
        allocation_method,
        sum(quantity) as units
    from shipped_units
    group by lot_key, allocation_method
),

main_method as (
    select *
    from methods
    qualify row_number() over (partition by lot_key order by units desc, allocation_method asc) = 1
),

returned as (
    select
        return_lots.lot_key,
        min(return_lines.sku) as sku,
        sum(
            case when return_lines.is_within_horizon then return_lines.units_back else 0 end
            * return_lots.lot_share
        ) as units_returned,
        sum(case
            when return_lines.is_within_horizon and lines.is_mature
                then return_lines.units_back
            else 0
        end * return_lots.lot_share)
            as units_returned_mature,
        sum(
            case when return_lines.is_defect then return_lines.units_with_event else 0 end
            * return_lots.lot_share
        ) as units_defective,
        sum(
            case when return_lines.is_defect then return_lines.units_with_event else 0 end
            * return_lots.lot_share_lifo
        ) as units_defective_lifo,
        sum(case
            when return_lines.is_defect and return_lines.is_confirmed
                then return_lines.units_with_event
            else 0
        end * return_lots.lot_share)
            as units_defective_confirmed,
        sum(
            case when return_lines.is_graded then return_lines.units_with_event else 0 end
            * return_lots.lot_share
        ) as units_graded,
        sum(case
            when return_lines.is_graded and return_lines.is_resellable
                then return_lines.units_with_event
            else 0
        end * return_lots.lot_share)
            as units_resellable,
        sum(case
            when return_lines.is_graded and return_lines.is_claimed_defect
                then return_lines.units_with_event
            else 0
        end * return_lots.lot_share)
            as units_claimed_defective_graded,
        sum(case
            when
                return_lines.is_graded and return_lines.is_claimed_defect
                and return_lines.is_resellable
                then return_lines.units_with_event
            else 0
        end * return_lots.lot_share)
            as units_no_fault_found,
        count(case
            when
                return_lines.reason_final = 'product_defect.safety_allergy'
                and return_lots.lot_share > 0 then 1
        end) as safety_reports,
        count(case
            when
                return_lines.reason_final = 'product_defect.expired_short_dated'
                and return_lots.lot_share > 0 then 1
        end) as expired_complaints
    from return_lines
    inner join lines on return_lines.order_line_key = lines.order_line_key
    inner join return_lots on return_lines.return_line_key = return_lots.return_line_key
    group by return_lots.lot_key
),

keys as (
    select lot_key from shipped
    union
    select lot_key from returned
),

joined as (
    select
        keys.lot_key,
        coalesce(lots.sku, shipped.sku, returned.sku) as sku,
        coalesce(lots.lot_id, 'unattributed') as lot_id,
        coalesce(lots.supplier_id, 'unknown') as supplier_id,
        lots.production_date,
        lots.expiry_date,
        shipped.first_shipped_date,
        shipped.last_shipped_date,
        coalesce(shipped.is_mature, false) as is_mature,
        cast(coalesce(shipped.units_shipped, 0) as bigint) as units_shipped,
        cast(coalesce(shipped.units_shipped_mature, 0) as bigint) as units_shipped_mature,
        coalesce(returned.units_returned, 0) as units_returned,
        coalesce(returned.units_defective, 0) as units_defective,
        coalesce(returned.units_defective_lifo, 0) as units_defective_lifo,
        coalesce(returned.units_defective_confirmed, 0) as units_defective_confirmed,
        cast(floor(coalesce(returned.units_graded, 0) + 0.5 + 1e-9) as bigint)
            as units_graded,
        cast(floor(coalesce(returned.units_resellable, 0) + 0.5 + 1e-9) as bigint)
            as units_resellable,
        cast(floor(coalesce(returned.units_claimed_defective_graded, 0) + 0.5 + 1e-9) as bigint)
            as units_claimed_defective_graded,
        cast(floor(coalesce(returned.units_no_fault_found, 0) + 0.5 + 1e-9) as bigint)
            as units_no_fault_found,
        coalesce(returned.units_returned_mature, 0) as units_returned_mature,
        coalesce(main_method.allocation_method, 'unattributed') as allocation_method_main,
        shipped.units_scanned,
        shipped.units_estimated,
        shipped.units_early,
        coalesce(returned.safety_reports, 0) as safety_reports,
        cast(coalesce(shipped.units_short_dated, 0) as bigint) as units_short_dated,
        coalesce(returned.expired_complaints, 0) as expired_complaints,
        {{ rate("shipped.days_to_expiry_sum", "shipped.units_with_expiry") }}
            as mean_days_to_expiry_at_delivery
    from keys
    left join shipped on keys.lot_key = shipped.lot_key
    left join returned on keys.lot_key = returned.lot_key
    left join main_method on keys.lot_key = main_method.lot_key
    left join lots on keys.lot_key = lots.lot_key
),

rated as (
    select
        *,
        {{ wilson_low("units_returned", "units_shipped") }} as wilson_low,
        {{ wilson_high("units_returned", "units_shipped") }} as wilson_high
    from joined
    -- a lot only LIFO would have taken, and from which nothing came back, is no row
    where units_shipped > 0 or units_returned > 0 or units_defective > 0 or units_graded > 0
),

-- lots read on returned units, and LIFO, may give a lot more than the method shipped of it: a rate
-- is 1 at most
final as (
    select
        rated.lot_key,
        rated.sku,
        rated.lot_id,
        rated.supplier_id,
        rated.production_date,
        rated.expiry_date,
        rated.first_shipped_date,
        rated.last_shipped_date,
        rated.is_mature,
        rated.units_shipped,
        rated.units_shipped_mature,
        rated.units_returned,
        rated.units_defective,
        rated.units_defective_lifo,
        rated.units_defective_confirmed,
        rated.units_graded,
        rated.units_resellable,
        rated.units_claimed_defective_graded,
        rated.units_no_fault_found,
        rated.units_returned_mature,
        {{ capped_rate("rated.units_returned", "rated.units_shipped") }} as unit_return_rate,
        {{ capped_rate("rated.units_returned_mature", "rated.units_shipped_mature") }}
            as unit_return_rate_mature,
        rated.wilson_low,
        rated.wilson_high,
        {{ capped_rate("rated.units_defective", "rated.units_shipped") }} as defect_rate_fifo,
        {{ wilson_low("rated.units_defective", "rated.units_shipped") }} as defect_rate_fifo_low,
        {{ wilson_high("rated.units_defective", "rated.units_shipped") }} as defect_rate_fifo_high,
        {{ capped_rate("rated.units_defective_lifo", "rated.units_shipped") }} as defect_rate_lifo,
        case
            when rated.units_graded > 0
                then {{ capped_rate("rated.units_defective_confirmed", "rated.units_shipped") }}
        end as defect_rate_confirmed,
        {{ capped_rate("rated.units_no_fault_found", "rated.units_claimed_defective_graded") }}
            as no_fault_found_rate,
        {{ capped_rate("rated.units_resellable", "rated.units_graded") }} as resellable_rate,
        rated.allocation_method_main,
        {{ capped_rate("rated.units_scanned", "rated.units_shipped") }} as share_scanned,
        {{ capped_rate("rated.units_estimated", "rated.units_shipped") }} as share_estimated,
        {{ capped_rate("rated.units_early", "rated.units_shipped") }} as share_time_violation,
        rated.safety_reports,
        rated.units_short_dated,
        rated.expired_complaints,
        rated.mean_days_to_expiry_at_delivery,
        {{ evidence("rated.units_shipped", "rated.wilson_low", "rated.wilson_high",
            "setting.evidence_min_units", "setting.evidence_max_width") }} as evidence
    from rated
    cross join setting
)

select * from final
