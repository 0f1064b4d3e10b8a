with

lines as (
    select * from {{ ref('int_return_count__by_line') }}
),

return_lines as (
    select * from {{ ref('int_return_line__classed') }}
),

exchanges as (
    select * from {{ ref('int_exchange__linked') }}
),

data_until as (
    select * from {{ ref('int_data_until') }}
),

ages as (
    select cast(listed.age_days as bigint) as age_days
    from (values (0), (7), (14), (21), (30), (45), (60), (90), (120)) as listed (age_days)
),

cohorts as (
    select
        lines.account,
        lines.marketplace,
        lines.sku,
        lines.cohort_month,
        sum(lines.units_shipped) as units_shipped,
        -- lines that never arrived do not grow older
        max(case when not lines.is_undelivered then lines.horizon_start_date end)
            as last_start_date,
        max(data_until.data_until_date) as data_until_date
    from lines
    cross join data_until
    group by lines.account, lines.marketplace, lines.sku, lines.cohort_month
),

returned_events as (
    select
        lines.account,
        lines.marketplace,
        lines.sku,
        lines.cohort_month,
        return_lines.days_after_delivery,
        return_lines.units_back as units_returned,
        return_lines.units_exchanged + return_lines.units_replaced as units_exchanged,
        case when return_lines.is_defect then return_lines.units_with_event else 0 end
            as units_defective
    from return_lines
    inner join lines on return_lines.order_line_key = lines.order_line_key
),

row_exchanges as (
    select
        order_line_key,
        sum(units_exchanged + units_replaced) as units
    from return_lines
    where order_line_key <> 'unknown' and not is_undeliverable
    group by order_line_key
),

-- sent again without a return: dated by the order that was sent
bare_exchanges as (
    select
        exchanges.order_line_key,
        min(exchanges.ordered_date) as ordered_date
    from exchanges
    group by exchanges.order_line_key
),

bare_events as (
    select
        lines.account,
        lines.marketplace,
        lines.sku,
        lines.cohort_month,
        {{ days_between("lines.horizon_start_date", "bare_exchanges.ordered_date") }}
            as days_after_delivery,
        0 as units_returned,
        greatest(
            lines.units_exchanged + lines.units_replaced - coalesce(row_exchanges.units, 0), 0
        ) as units_exchanged,
        0 as units_defective
    from lines
    inner join bare_exchanges on lines.order_line_key = bare_exchanges.order_line_key
    left join row_exchanges on lines.order_line_key = row_exchanges.order_line_key
),

events as (
    select * from returned_events
    union all
    select * from bare_events
),

-- each event belongs to the first age that it has reached and to all later ones
by_day as (
    select
        account,
        marketplace,
        sku,
        cohort_month,
        days_after_delivery,
        sum(units_returned) as units_returned,
        sum(units_exchanged) as units_exchanged,
        sum(units_defective) as units_defective
    from events
    group by account, marketplace, sku, cohort_month, days_after_delivery
),

grid as (
    select
        cohorts.*,
        ages.age_days
    from cohorts
    cross join ages
    where
        cohorts.last_start_date is null
        or {{ add_days("cohorts.last_start_date", "ages.age_days") }} <= cohorts.data_until_date
),

final as (
    select
        grid.account,
        grid.marketplace,
        grid.sku,
        grid.cohort_month,
        grid.age_days,
        cast(grid.units_shipped as bigint) as units_shipped,
        cast(coalesce(sum(by_day.units_returned), 0) as bigint) as units_returned_cumulative,
        cast(coalesce(sum(by_day.units_exchanged), 0) as bigint) as units_exchanged_cumulative,
        cast(coalesce(sum(by_day.units_defective), 0) as bigint) as units_defective_cumulative
    from grid
    left join by_day
        on
            grid.account = by_day.account
            and grid.marketplace = by_day.marketplace
            and grid.sku = by_day.sku
            and grid.cohort_month = by_day.cohort_month
            and grid.age_days >= by_day.days_after_delivery
    group by
        grid.account,
        grid.marketplace,
        grid.sku,
        grid.cohort_month,
        grid.age_days,
        grid.units_shipped
)

select * from final
