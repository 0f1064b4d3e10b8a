-- One row per event of goods after a sale, in the shape of int_cost_money__gathered: what came back
-- and is lost, its way out that was in vain, inspecting it and what it fetched, what was sent
-- instead, what carriers bill for it, and what repairs cost.
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

bills as (
    select * from {{ ref('int_parcel_bill__spread') }}
),

repairs as (
    select * from {{ ref('base_files__repairs') }}
),

labour_costs as (
    select * from {{ ref('base_files__labour_costs') }}
),

cases as (
    select * from {{ ref('int_case__linked') }}
    where case_source = 'repairs'
),

reasons as (
    select reason_l2 from {{ ref('dim_reason') }}
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

-- an inspection does not say where it was, so what work costs is known where it is done on one site
labour as (
    select
        labour_costs.*,
        case labour_costs.activity
            when 'inspect' then 'inspection_labour'
            when 'repack' then 'repack'
            when 'dispose' then 'disposal_fee'
        end as component
    from labour_costs
    where
        labour_costs.activity in (
            select one_site.activity
            from labour_costs as one_site
            group by one_site.activity
            having count(distinct one_site.site_id) = 1
        )
),

inspected_parts as (
    select
        inspected.*,
        parts.component,
        parts.source,
        case
            when labour.cost_per_unit is not null then inspected.quantity * labour.cost_per_unit
            when parts.component = 'inspection_labour'
                then inspected.minutes_spent * labour.cost_per_hour / 60
        end as listed_cost,
        labour.currency as listed_currency
    from inspected
    cross join (
        values
        ('inspection_labour', 'estimated'),
        ('repack', 'estimated'),
        ('disposal_fee', 'estimated'),
        ('liquidation', 'billed'),
        ('resale_value', 'billed')
    ) as parts (component, source)
    left join labour
        on
            parts.component = labour.component
            and cast(inspected.inspected_at as date) >= labour.valid_from
            and (
                labour.valid_to is null
                or cast(inspected.inspected_at as date) < labour.valid_to
            )
),

inspection_events as (
    select
        inspected.inspection_id as origin_key,
        inspected.component,
        inspected.source,
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
            when inspected.component in ('liquidation', 'resale_value')
                then inspected.recovered_currency
            when inspected.listed_cost is not null then inspected.listed_currency
            else setting.reporting_currency
        end as currency,
        case inspected.component
            when 'inspection_labour'
                then {{ money("coalesce(
                    inspected.listed_cost, inspected.minutes_spent * inspected.labour_per_hour / 60
                )") }}
            when 'repack'
                then case
                    when inspected.next_step in ('restock', 'refurbish')
                        then {{ money("coalesce(
                        inspected.listed_cost, inspected.quantity * inspected.repack_per_unit
                    )") }}
                end
            when 'disposal_fee'
                then case
                    when inspected.next_step = 'destroy'
                        then {{ money("coalesce(
                        inspected.listed_cost, inspected.quantity * inspected.disposal_per_unit
                    )") }}
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
    from inspected_parts as inspected
    cross join setting
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
        coalesce(sale_fees.fulfilment_fee, 0) <> 0
        or new_lines.order_line_key in (
            select bills.order_line_key from bills
            where {{ is_way_out("bills") }}
        ) as is_shipping_billed,
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

-- parts and ways of repairs as they were paid, work at the rate of the settings
repair_events as (
    select
        cases.case_key as origin_key,
        parts.component,
        parts.source,
        coalesce(cases.order_line_key, 'unknown') as order_line_key,
        cast(null as varchar) as return_line_key,
        reasons.reason_l2,
        coalesce(cases.order_account, cases.account) as account,
        coalesce(cases.order_marketplace, cases.marketplace, 'unknown') as marketplace,
        coalesce(cases.country, 'ZZ') as country,
        coalesce(cases.sku, repairs.sku) as sku,
        repairs.cost_at as event_at,
        cast(repairs.cost_at as date) as event_date,
        case parts.component
            when 'repair_labour' then setting.reporting_currency
            else repairs.currency
        end as currency,
        case parts.component
            when 'repair_labour'
                then {{ money("repairs.labour_minutes * cost_rates.labour_per_hour / 60") }}
            when 'repair_parts' then repairs.parts_cost
            when 'return_shipping'
                then case when repairs.kind = 'repair' then repairs.shipping_cost end
            else case when repairs.kind <> 'repair' then repairs.shipping_cost end
        end as cost_amount,
        'none' as parcel_key,
        cases.case_key
    from repairs
    inner join cases
        on
            repairs.connector = cases.connector
            and repairs.account = cases.account
            and repairs.repair_id = cases.case_id
    cross join setting
    cross join cost_rates
    cross join (
        values
        ('repair_labour', 'estimated'),
        ('repair_parts', 'billed'),
        ('return_shipping', 'billed'),
        ('replacement_shipping', 'billed')
    ) as parts (component, source)
    left join reasons on repairs.fault_code = reasons.reason_l2
),

-- a carrier's bill of a way out belongs to the sale, unless it was the way of what was sent instead
carrier_events as (
    select
        {{ colon_key(["bills.bill_key", "bills.order_line_key"]) }} as origin_key,
        case
            when bills.charge_type = 'claim_credit' then 'carrier_claim'
            when bills.direction = 'return' and bills.charge_type = 'duty'
                then 'duties_not_reclaimed'
            when not {{ is_way_out("bills") }} then 'return_shipping'
            else 'replacement_shipping'
        end as component,
        'billed' as source,
        coalesce(sent_instead.order_line_key, bills.order_line_key) as order_line_key,
        sent_instead.return_line_key,
        sent_instead.reason_l2,
        coalesce(sent_instead.account, bills.parcel_account) as account,
        coalesce(sent_instead.marketplace, bills.parcel_marketplace) as marketplace,
        coalesce(sent_instead.country, 'ZZ') as country,
        coalesce(sent_instead.sku, 'unknown') as sku,
        bills.billed_at as event_at,
        bills.billed_date as event_date,
        bills.currency,
        case bills.charge_type when 'claim_credit' then -bills.amount else bills.amount end
            as cost_amount,
        bills.parcel_key
    from bills
    left join sent_instead on bills.order_line_key = sent_instead.new_order_line_key
    where not {{ is_way_out("bills") }} or sent_instead.new_order_line_key is not null
),

ways_out as (
    select
        bills.order_line_key,
        bills.currency,
        max(bills.billed_at) as billed_at,
        max(bills.billed_date) as billed_date,
        sum(case when bills.charge_type <> 'duty' then bills.amount end) as carriage,
        sum(case when bills.charge_type = 'duty' then bills.amount end) as duty
    from bills
    where {{ is_way_out("bills") }} and bills.order_line_key <> 'unknown'
    group by bills.order_line_key, bills.currency
),

-- the part of the goods that came back: their way was in vain, their duty is lost
back_events as (
    select
        {{ colon_key(["returns_back.return_line_key", "ways_out.currency"]) }} as origin_key,
        parts.component,
        'billed' as source,
        returns_back.order_line_key,
        returns_back.return_line_key,
        cast(null as varchar) as reason_l2,
        returns_back.account,
        returns_back.marketplace,
        returns_back.country,
        returns_back.sku,
        greatest(returns_back.back_at, ways_out.billed_at) as event_at,
        greatest(returns_back.back_date, ways_out.billed_date) as event_date,
        ways_out.currency,
        {{ money("cast(
            case parts.component
                when 'duties_not_reclaimed' then ways_out.duty
                else ways_out.carriage
            end as double
        ) * returns_back.quantity / returns_back.quantity_shipped") }} as cost_amount
    from returns_back
    inner join ways_out on returns_back.order_line_key = ways_out.order_line_key
    cross join (
        values ('outbound_shipping_lost'), ('duties_not_reclaimed')
    ) as parts (component)
    -- the duty of what was sent instead is a cost already
    where
        parts.component <> 'duties_not_reclaimed'
        or returns_back.order_line_key not in (
            select sent_instead.new_order_line_key from sent_instead
        )
),

gathered as (
    {%- for origin in [
        "goods_events", "inspection_events", "sent_events", "sent_fee_events", "back_events",
    ] %}
        select
            '{{ origin }}' as origin,
            *,
            'none' as parcel_key,
            'none' as case_key
        from {{ origin }}
        union all
    {%- endfor %}
    select
        'carrier_events' as origin,
        *,
        'none' as case_key
    from carrier_events
    union all
    select
        'repair_events' as origin,
        *
    from repair_events
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
        parcel_key,
        case_key,
        cast(null as decimal(18, 4)) as cost_order_rate_reporting
    from gathered
    where cost_amount <> 0
)

select * from final
