with

order_lines as (
    select * from {{ ref('fct_order_line') }}
),

outcomes as (
    select * from {{ ref('int_unit_outcome__counted') }}
),

data_until as (
    select data_until_date from {{ ref('int_data_until') }}
),

setting as (
    select include_sunk from {{ source('settings', 'setting') }}
),

payment_rates as (
    select
        subject as marketplace,
        rate
    from {{ source('settings', 'cost_rate') }}
    where cost_kind = 'payment_fee_share'
),

-- goods and way of what was sent instead are costs of the line that it stands in for
sent_instead as (
    select new_order_line_key from {{ ref('int_exchange__linked') }}
),

sale_fees as (
    select
        order_line_key,
        -sum(case when settlement_kind = 'sale_fee' then amount_reporting end) as sale_fee,
        -sum(case when settlement_kind = 'sale_fulfilment' then amount_reporting end)
            as fulfilment_fee
    from {{ ref('int_cost_settlement__spread') }}
    where settlement_kind in ('sale_fee', 'sale_fulfilment')
    group by order_line_key
),

goods_back as (
    select
        order_line_key,
        sum(landed_cost_returned) as landed_cost_returned,
        cast(sum(quantity) as double) / min(quantity_shipped) as share_back
    from {{ ref('int_cost_return__valued') }}
    group by order_line_key
),

-- what carriers bill for the way out; the duty of what came back is a cost after the sale
carriage as (
    select
        bills.order_line_key,
        {{ money("sum(cast(bills.amount_reporting as double) * case
            when bills.charge_type = 'duty' then 1 - coalesce(goods_back.share_back, 0)
            else 1
        end)") }} as carriage_fee
    from {{ ref('int_parcel_bill__spread') }} as bills
    left join goods_back on bills.order_line_key = goods_back.order_line_key
    where {{ is_way_out("bills") }}
    group by bills.order_line_key
),

costs as (
    select * from {{ ref('fct_after_sales_cost') }}
),

line_costs as (
    select
        costs.order_line_key,
        {{ cost_sums("costs", "amount_order_rate_reporting") }},
        sum(case
            when not costs.is_memo and costs.direction = 'cost' then costs.amount_reporting
        end) as all_cost,
        sum(case
            when not costs.is_memo and costs.direction = 'cost' and costs.source = 'estimated'
                then costs.amount_reporting
        end) as estimated_cost
    from costs
    where costs.order_line_key <> 'unknown'
    group by costs.order_line_key
),

refunds as (
    select
        order_line_key,
        sum(fx_gain_loss_reporting) as fx_gain_loss
    from {{ ref('fct_refund_line') }}
    where kind <> 'cancellation' and not is_duplicate_of_chargeback
    group by order_line_key
),

sold as (
    select
        order_lines.*,
        order_lines.quantity_shipped = 0
        or outcomes.never_arrived >= order_lines.quantity_shipped
        or {{ add_days("order_lines.horizon_start_date", "order_lines.horizon_days") }}
        <= data_until.data_until_date as is_over,
        outcomes.in_transit + outcomes.return_in_progress + outcomes.unshipped_open
            as units_open,
        case
            when order_lines.quantity_shipped = 0 then 0
            else
                {{ money("cast(order_lines.net_reporting as double) * order_lines.quantity_shipped
                    / order_lines.quantity_ordered") }}
        end as net_sales,
        case when order_lines.quantity_shipped > 0 then order_lines.shipping_reporting else 0 end
            as shipping_income,
        case
            when order_lines.quantity_shipped = 0 or sent_instead.new_order_line_key is not null
                then 0
            else
                {{ money("order_lines.unit_landed_cost_reporting * order_lines.quantity_shipped") }}
        end as landed_cost,
        case
            when sent_instead.new_order_line_key is not null then 0
            else coalesce(sale_fees.fulfilment_fee, 0) + coalesce(carriage.carriage_fee, 0)
        end as outbound_cost,
        coalesce(sale_fees.sale_fee, 0) as marketplace_fees
    from order_lines
    cross join data_until
    inner join outcomes on order_lines.order_line_key = outcomes.order_line_key
    left join sent_instead on order_lines.order_line_key = sent_instead.new_order_line_key
    left join sale_fees on order_lines.order_line_key = sale_fees.order_line_key
    left join carriage on order_lines.order_line_key = carriage.order_line_key
),

before_after_sales as (
    select
        sold.*,
        {{ money("coalesce(
            (sold.net_sales + coalesce(sold.shipping_income, 0)) * payment_rates.rate, 0
        )") }} as payment_fees
    from sold
    left join payment_rates on sold.marketplace = payment_rates.marketplace
),

profits as (
    select
        *,
        {{ money("net_sales + coalesce(shipping_income, 0) - landed_cost - outbound_cost
            - marketplace_fees - payment_fees") }} as profit_before_after_sales
    from before_after_sales
),

final as (
    select
        profits.order_line_key,
        profits.order_key,
        profits.account,
        profits.marketplace,
        profits.country,
        profits.sku,
        profits.customer_key,
        profits.ordered_date,
        profits.cohort_month,
        coalesce(profits.is_over, false) and profits.units_open = 0 as is_closed,
        {{ money("profits.net_sales") }} as net_sales,
        {{ money("profits.shipping_income") }} as shipping_income,
        {{ money("profits.landed_cost") }} as landed_cost,
        {{ money("profits.outbound_cost") }} as outbound_cost,
        {{ money("profits.marketplace_fees") }} as marketplace_fees,
        profits.payment_fees,
        profits.profit_before_after_sales,
        {{ money("coalesce(line_costs.refund_net, 0)") }} as refund_net,
        {{ money("coalesce(line_costs.after_sales_cost_total, 0)") }} as after_sales_cost_total,
        {{ money("coalesce(line_costs.after_sales_cost_ex_refund, 0)") }}
            as after_sales_cost_ex_refund,
        {{ money("coalesce(line_costs.fee_credit, 0)") }} as fee_credit,
        {{ money("coalesce(line_costs.platform_fee_kept, 0)") }} as platform_fee_kept,
        {{ money("coalesce(goods_back.landed_cost_returned, 0)") }} as landed_cost_returned,
        {{ money("profits.profit_before_after_sales
            - coalesce(line_costs.after_sales_cost_total, 0)
            + coalesce(goods_back.landed_cost_returned, 0)
            + case
                when setting.include_sunk then coalesce(line_costs.outbound_shipping_lost, 0)
                else 0
            end") }} as true_net_profit,
        {{ money("coalesce(" ~ recovered_value("line_costs") ~ ", 0)") }} as recovered_value,
        {{ money("coalesce(refunds.fx_gain_loss, 0)") }} as fx_gain_loss,
        {{ rate("coalesce(line_costs.estimated_cost, 0)", "line_costs.all_cost") }}
            as cost_estimated_share,
        profits.reporting_currency
    from profits
    cross join setting
    left join line_costs on profits.order_line_key = line_costs.order_line_key
    left join refunds on profits.order_line_key = refunds.order_line_key
    left join goods_back on profits.order_line_key = goods_back.order_line_key
)

select * from final
