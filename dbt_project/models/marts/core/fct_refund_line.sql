with

refunds as (
    select * from {{ ref('int_refund_line__linked') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

fx_rates as (
    select * from {{ ref('int_fx_rate__daily') }}
),

setting as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

converted as (
    select
        refunds.*,
        coalesce(order_lines.payment_method, 'unknown') as payment_method,
        coalesce(order_lines.cohort_month, {{ unknown_date() }}) as cohort_month,
        {{ money("refunds.net_amount * refund_rates.rate_to_reporting") }} as net_reporting,
        {{ money("refunds.net_amount * order_rates.rate_to_reporting") }}
            as net_order_rate_reporting,
        setting.reporting_currency
    from refunds
    cross join setting
    left join order_lines on refunds.order_line_key = order_lines.order_line_key
    left join fx_rates as refund_rates
        on
            refunds.refunded_date = refund_rates.rate_date
            and refunds.currency = refund_rates.currency
    left join fx_rates as order_rates
        on
            order_lines.ordered_date = order_rates.rate_date
            and refunds.currency = order_rates.currency
),

final as (
    select
        refund_line_key,
        order_line_key,
        order_key,
        return_line_key,
        refund_id,
        connector,
        account,
        marketplace,
        country,
        sku,
        refunded_at,
        refunded_date,
        kind,
        refund_method,
        payment_method,
        is_returnless,
        units_refunded,
        currency,
        net_amount,
        tax_amount,
        shipping_amount,
        net_reporting,
        net_order_rate_reporting,
        {{ money("net_order_rate_reporting - net_reporting") }} as fx_gain_loss_reporting,
        cast(null as decimal(18, 4)) as fx_marketplace_spread_amount,
        reporting_currency,
        cast(null as date) as refund_promised_date,
        amount_source,
        is_duplicate_of_chargeback,
        cohort_month
    from converted
)

select * from final
