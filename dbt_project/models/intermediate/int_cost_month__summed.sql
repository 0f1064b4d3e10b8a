-- One row per account, marketplace, country, SKU and month: sales by the month of shipping, costs
-- by that of their event, returns by that of their first evidence, goods by that in which they came
-- back. The cost tables by SKU, by region and the headline are sums of these rows.
with

profits as (
    select * from {{ ref('mart_order_profit') }}
),

order_lines as (
    select
        order_line_key,
        quantity_shipped,
        is_replacement,
        is_exchange,
        unit_landed_cost_reporting
    from {{ ref('fct_order_line') }}
),

costs as (
    select * from {{ ref('fct_after_sales_cost') }}
),

sold as (
    select
        profits.account,
        profits.marketplace,
        profits.country,
        profits.sku,
        profits.cohort_month as month,
        sum(profits.net_sales) as net_sales,
        sum(profits.profit_before_after_sales) as profit_before_after_sales,
        sum(case
            when not order_lines.is_replacement and not order_lines.is_exchange
                then order_lines.quantity_shipped
            else 0
        end) as units_shipped,
        sum(case
            when
                not order_lines.is_replacement and not order_lines.is_exchange
                and order_lines.unit_landed_cost_reporting is not null
                then order_lines.quantity_shipped
            else 0
        end) as units_cost_known
    from profits
    inner join order_lines on profits.order_line_key = order_lines.order_line_key
    where order_lines.quantity_shipped > 0 or profits.profit_before_after_sales <> 0
    group by
        profits.account,
        profits.marketplace,
        profits.country,
        profits.sku,
        profits.cohort_month
),

spent as (
    select
        costs.account,
        costs.marketplace,
        costs.country,
        costs.sku,
        {{ known_month("costs.event_date") }} as month,
        {{ cost_sums("costs", "amount_reporting") }}
    from costs
    group by
        costs.account,
        costs.marketplace,
        costs.country,
        costs.sku,
        {{ known_month("costs.event_date") }}
),

retained as (
    select
        account,
        marketplace,
        country,
        sku,
        {{ known_month("refunded_date") }} as month,
        sum(net_reporting) as refund_retained
    from {{ ref('fct_refund_line') }}
    where
        refund_method in ('store_credit', 'gift_card')
        and kind <> 'cancellation' and not is_duplicate_of_chargeback
    group by
        account,
        marketplace,
        country,
        sku,
        {{ known_month("refunded_date") }}
),

returned as (
    select
        return_lines.account,
        return_lines.marketplace,
        return_lines.country,
        return_lines.sku,
        {{ known_month("classed.first_evidence_date") }} as month,
        sum(classed.units_back) as units_returned_event
    from {{ ref('int_return_line__classed') }} as classed
    inner join {{ ref('int_return_line__resolved') }} as return_lines
        on classed.return_line_key = return_lines.return_line_key
    where classed.units_back > 0
    group by
        return_lines.account,
        return_lines.marketplace,
        return_lines.country,
        return_lines.sku,
        {{ known_month("classed.first_evidence_date") }}
),

goods_back as (
    select
        account,
        marketplace,
        country,
        sku,
        {{ known_month("back_date") }} as month,
        sum(landed_cost_returned) as landed_cost_returned
    from {{ ref('int_cost_return__valued') }}
    where landed_cost_returned > 0
    group by
        account,
        marketplace,
        country,
        sku,
        {{ known_month("back_date") }}
),

due as (
    select
        account,
        marketplace,
        country,
        sku,
        month,
        sum(units_due) as units_reimbursement_due,
        sum(gap_reporting) as reimbursement_gap
    from {{ ref('int_reimbursement__due') }}
    group by
        account,
        marketplace,
        country,
        sku,
        month
),

{% set parts = {
    "sold": ["net_sales", "profit_before_after_sales", "units_shipped", "units_cost_known"],
    "spent": cost_measures(),
    "retained": ["refund_retained"],
    "returned": ["units_returned_event"],
    "goods_back": ["landed_cost_returned"],
    "due": ["units_reimbursement_due", "reimbursement_gap"],
} -%}
{% set key = ["account", "marketplace", "country", "sku", "month"] -%}
keys as (
    {%- for part in parts %}
        select
            {{ key | join(", ") }}
        from {{ part }}
        {{ "union" if not loop.last }}
    {%- endfor %}
),

final as (
    select
        keys.account,
        keys.marketplace,
        keys.country,
        keys.sku,
        keys.month,
        -- sales without any known rate are unknown, not zero
        case when sold.account is null then 0 else sold.net_sales end as net_sales,
        case when sold.account is null then 0 else sold.profit_before_after_sales end
            as profit_before_after_sales,
        {%- for part, columns in parts.items() %}
            {%- for column in columns if column not in ("net_sales", "profit_before_after_sales") %}
                coalesce({{ part }}.{{ column }}, 0) as {{ column }},
            {%- endfor %}
        {%- endfor %}
        setting.reporting_currency,
        setting.include_sunk
    from keys
    cross join {{ source('settings', 'setting') }} as setting
    {%- for part in parts %}
        left join {{ part }}
            on
                keys.account = {{ part }}.account
                and keys.marketplace = {{ part }}.marketplace
                and keys.country = {{ part }}.country
                and keys.sku = {{ part }}.sku
                and keys.month = {{ part }}.month
    {%- endfor %}
)

select * from final
