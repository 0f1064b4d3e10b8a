-- One row per event of goods after a sale, in the shape of int_cost_money__gathered: what came back
-- and is lost, its way out that was in vain, inspecting it and what it fetched, and what was sent
-- instead.
with

settlement_parts as (
    select * from {{ ref('int_cost_settlement__spread') }}
),

returns_back as (
    select * from {{ ref('int_cost_return__valued') }}
),

inspections as (
    select * from {{ ref('int_inspection__matched') }}
),

exchanges as (
    select * from {{ ref('fct_exchange') }}
),

order_lines as (
    select * from {{ ref('fct_order_line') }}
),

time_zones as (
    select
        order_line_key,
        time_zone
    from {{ ref('int_order_line__enriched') }}
),

setting as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

cost_rates as (
    select
        max(case when cost_kind = 'labour_per_hour' then rate end) as labour_per_hour,
        max(case when cost_kind = 'inspection_minutes' then rate end) as inspection_minutes,
        max(case when cost_kind = 'repack_per_unit' then rate end) as repack_per_unit,
        max(case when cost_kind = 'disposal_per_unit' then rate end) as disposal_per_unit,
        max(case when cost_kind = 'replacement_shipping_per_unit' then rate end)
            as replacement_shipping_per_unit
    from {{ source('settings', 'cost_rate') }}
),

-- what sending the goods of a line cost
sale_fees as (
    select
        order_line_key,
        currency,
        -sum(amount) as fulfilment_fee
    from settlement_parts
    where settlement_kind = 'sale_fulfilment' and order_line_key <> 'unknown'
    group by order_line_key, currency
),

-- goods that came back: what is lost of them, and the way out that was paid for nothing
goods_events as (
    select
        returns_back.return_line_key as origin_key,
        parts.component,
        parts.source,
        returns_back.order_line_key,
        returns_back.return_line_key,
        cast(null as varchar) as reason_l2,
        returns_back.account,
        returns_back.marketplace,
        returns_back.country,
        returns_back.sku,
        case parts.component
            when 'write_off' then returns_back.graded_at
            else returns_back.back_at
        end as event_at,
        case parts.component
            when 'write_off'
                then {{ local_date("returns_back.graded_at", "returns_back.time_zone") }}
            else returns_back.back_date
        end as event_date,
        case parts.component
            when 'write_off' then setting.reporting_currency
            else sale_fees.currency
        end as currency,
        case parts.component
            when 'write_off' then returns_back.write_off
            else {{ money("cast(sale_fees.fulfilment_fee as double) * returns_back.quantity
                / returns_back.quantity_shipped") }}
        end as cost_amount
    from returns_back
    cross join setting
    cross join (
        values ('write_off', 'estimated'), ('outbound_shipping_lost', 'billed')
    ) as parts (component, source)
    left join sale_fees
        on
            case
                when parts.component = 'outbound_shipping_lost' then returns_back.order_line_key
            end = sale_fees.order_line_key
),

inspected as (
    select
        inspections.inspection_id,
        inspections.next_step,
        inspections.quantity,
        inspections.recovered_amount,
        inspections.currency as recovered_currency,
        inspections.inspected_at,
        returns_back.order_line_key,
        returns_back.return_line_key,
        returns_back.account,
        returns_back.marketplace,
        returns_back.country,
        returns_back.sku,
        returns_back.time_zone,
        returns_back.is_written_off,
        coalesce(
            inspections.minutes_spent, cost_rates.inspection_minutes * inspections.quantity
        ) as minutes_spent,
        cost_rates.labour_per_hour,
        cost_rates.repack_per_unit,
        cost_rates.disposal_per_unit
    from inspections
    inner join returns_back on inspections.return_line_key = returns_back.return_line_key
    cross join cost_rates
),

inspection_events as (
    select
        inspected.inspection_id as origin_key,
        parts.component,
        parts.source,
        inspected.order_line_key,
        inspected.return_line_key,
        cast(null as varchar) as reason_l2,
        inspected.account,
        inspected.marketplace,
        inspected.country,
        inspected.sku,
        inspected.inspected_at as event_at,
        {{ local_date("inspected.inspected_at", "inspected.time_zone") }} as event_date,
        case
            when parts.component in ('liquidation', 'resale_value')
                then inspected.recovered_currency
            else setting.reporting_currency
        end as currency,
        case parts.component
            when 'inspection_labour'
                then {{ money("inspected.minutes_spent * inspected.labour_per_hour / 60") }}
            when 'repack'
                then case
                    when inspected.next_step in ('restock', 'refurbish')
                        then {{ money("inspected.quantity * inspected.repack_per_unit") }}
                end
            when 'disposal_fee'
                then case
                    when inspected.next_step = 'destroy'
                        then {{ money("inspected.quantity * inspected.disposal_per_unit") }}
                end
            when 'liquidation'
                then case
                    when inspected.is_written_off and inspected.next_step = 'liquidate'
                        then -inspected.recovered_amount
                end
            else
                case
                    when inspected.is_written_off and inspected.next_step <> 'liquidate'
                        then -inspected.recovered_amount
                end
        end as cost_amount
    from inspected
    cross join setting
    cross join (
        values
        ('inspection_labour', 'estimated'),
        ('repack', 'estimated'),
        ('disposal_fee', 'estimated'),
        ('liquidation', 'billed'),
        ('resale_value', 'billed')
    ) as parts (component, source)
),

-- what was sent instead is a cost of the line that it stands in for
sent_instead as (
    select
        exchanges.new_order_line_key,
        exchanges.order_line_key,
        exchanges.return_line_key,
        exchanges.reason_l2,
        exchanges.account,
        exchanges.marketplace,
        exchanges.country,
        exchanges.sku,
        new_lines.shipped_at,
        new_lines.quantity_shipped,
        new_lines.unit_landed_cost_reporting,
        sale_fees.order_line_key is not null and sale_fees.fulfilment_fee <> 0
            as is_shipping_billed,
        time_zones.time_zone
    from exchanges
    inner join order_lines as new_lines on exchanges.new_order_line_key = new_lines.order_line_key
    inner join time_zones on exchanges.order_line_key = time_zones.order_line_key
    left join sale_fees on exchanges.new_order_line_key = sale_fees.order_line_key
    where new_lines.quantity_shipped > 0
),

sent_events as (
    select
        sent_instead.new_order_line_key as origin_key,
        parts.component,
        'estimated' as source,
        sent_instead.order_line_key,
        sent_instead.return_line_key,
        sent_instead.reason_l2,
        sent_instead.account,
        sent_instead.marketplace,
        sent_instead.country,
        sent_instead.sku,
        sent_instead.shipped_at as event_at,
        {{ local_date("sent_instead.shipped_at", "sent_instead.time_zone") }} as event_date,
        setting.reporting_currency as currency,
        case
            when parts.component = 'replacement_unit_cost'
                then
                    {{ money("sent_instead.quantity_shipped
                        * sent_instead.unit_landed_cost_reporting") }}
            when not sent_instead.is_shipping_billed
                then
                    {{ money("sent_instead.quantity_shipped
                        * cost_rates.replacement_shipping_per_unit") }}
        end as cost_amount
    from sent_instead
    cross join setting
    cross join cost_rates
    cross join (
        values ('replacement_unit_cost'), ('replacement_shipping')
    ) as parts (component)
),

sent_fee_events as (
    select
        {{ colon_key(["settlement_parts.account", "settlement_parts.settlement_id",
            "cast(settlement_parts.row_no as varchar)"]) }} as origin_key,
        'replacement_shipping' as component,
        'billed' as source,
        sent_instead.order_line_key,
        sent_instead.return_line_key,
        sent_instead.reason_l2,
        sent_instead.account,
        sent_instead.marketplace,
        sent_instead.country,
        sent_instead.sku,
        settlement_parts.posted_at as event_at,
        {{ local_date("settlement_parts.posted_at", "sent_instead.time_zone") }} as event_date,
        settlement_parts.currency,
        -settlement_parts.amount as cost_amount
    from sent_instead
    inner join settlement_parts
        on sent_instead.new_order_line_key = settlement_parts.order_line_key
    where settlement_parts.settlement_kind = 'sale_fulfilment'
),

gathered as (
    {%- for origin in [
        "goods_events", "inspection_events", "sent_events", "sent_fee_events",
    ] %}
        select
            '{{ origin }}' as origin,
            *,
            cast(null as decimal(18, 4)) as cost_order_rate_reporting
        from {{ origin }}
        {{ "union all" if not loop.last }}
    {%- endfor %}
),

final as (
    select
        origin,
        origin_key,
        component,
        source,
        order_line_key,
        return_line_key,
        reason_l2,
        account,
        marketplace,
        country,
        sku,
        event_at,
        event_date,
        currency,
        {{ money("cost_amount") }} as cost_amount,
        cost_order_rate_reporting
    from gathered
    where cost_amount <> 0
)

select * from final
