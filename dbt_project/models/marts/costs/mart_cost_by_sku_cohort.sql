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

returns as (
    select
        account,
        marketplace,
        sku,
        cohort_month,
        sum(units_returned) as units_returned,
        bool_and(is_mature) as is_mature
    from {{ ref('mart_return_base') }}
    group by account, marketplace, sku, cohort_month
),

skus as (
    select
        sku,
        category
    from {{ ref('dim_sku') }}
),

setting as (
    select
        reporting_currency,
        include_sunk
    from {{ source('settings', 'setting') }}
),

sold as (
    select
        profits.account,
        profits.marketplace,
        profits.sku,
        profits.cohort_month,
        sum(profits.net_sales) as net_sales,
        sum(profits.profit_before_after_sales) as profit_before_after_sales,
        sum(profits.landed_cost_returned) as landed_cost_returned,
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
    where
        order_lines.quantity_shipped > 0 or profits.profit_before_after_sales <> 0
        or profits.landed_cost_returned <> 0
    group by profits.account, profits.marketplace, profits.sku, profits.cohort_month
),

spent as (
    select
        costs.account,
        costs.marketplace,
        costs.sku,
        costs.cohort_month,
        {{ cost_sums("costs", "amount_order_rate_reporting") }}
    from costs
    group by costs.account, costs.marketplace, costs.sku, costs.cohort_month
),

refunds as (
    select
        account,
        marketplace,
        sku,
        cohort_month,
        sum(fx_gain_loss_reporting) as fx_gain_loss,
        sum(case
            when refund_method in ('store_credit', 'gift_card') then net_order_rate_reporting
            else 0
        end) as refund_retained
    from {{ ref('fct_refund_line') }}
    where kind <> 'cancellation' and not is_duplicate_of_chargeback
    group by account, marketplace, sku, cohort_month
),

keys as (
    select
        account,
        marketplace,
        sku,
        cohort_month
    from sold
    union
    select
        account,
        marketplace,
        sku,
        cohort_month
    from spent
),

summed as (
    select
        keys.account,
        keys.marketplace,
        keys.sku,
        keys.cohort_month,
        case when sold.account is null then 0 else sold.net_sales end as net_sales,
        case when sold.account is null then 0 else sold.profit_before_after_sales end
            as profit_before_after_sales,
        coalesce(sold.landed_cost_returned, 0) as landed_cost_returned,
        coalesce(sold.units_shipped, 0) as units_shipped,
        coalesce(sold.units_cost_known, 0) as units_cost_known,
        {%- for column in cost_measures() %}
            coalesce(spent.{{ column }}, 0) as {{ column }},
        {%- endfor %}
        coalesce(refunds.refund_retained, 0) as refund_retained,
        coalesce(refunds.fx_gain_loss, 0) as fx_gain_loss,
        coalesce(returns.units_returned, 0) as units_returned,
        coalesce(returns.is_mature, false) as is_mature,
        setting.reporting_currency,
        setting.include_sunk
    from keys
    cross join setting
    {%- for part in ["sold", "spent", "refunds", "returns"] %}
        left join {{ part }}
            on
                keys.account = {{ part }}.account
                and keys.marketplace = {{ part }}.marketplace
                and keys.sku = {{ part }}.sku
                and keys.cohort_month = {{ part }}.cohort_month
    {%- endfor %}
),

final as (
    select
        summed.account,
        summed.marketplace,
        summed.sku,
        coalesce(skus.category, 'unknown') as category,
        summed.cohort_month,
        summed.is_mature,
        summed.reporting_currency,
        {{ cost_columns("summed", "units_returned") }},
        cast(summed.units_returned as bigint) as units_returned,
        {{ money("summed.fx_gain_loss") }} as fx_gain_loss
    from summed
    left join skus on summed.sku = skus.sku
)

select * from final
