with

order_lines as (
    select * from {{ ref('fct_order_line') }}
    where customer_key not in ('unknown', 'none', 'all')
),

outcomes as (
    select
        order_line_key,
        sum(case when outcome = 'exchanged' then quantity else 0 end) as units_exchanged,
        sum(case when outcome = 'refunded_no_return' then quantity else 0 end)
            as units_refunded_no_return,
        sum(
            case
                when outcome in ('returned_refunded', 'return_in_progress') then quantity
                else 0
            end
        ) as units_returned
    from {{ ref('fct_unit_outcome') }}
    group by order_line_key
),

refunds as (
    select
        order_line_key,
        sum(net_order_rate_reporting) as net_refund
    from {{ ref('fct_refund_line') }}
    where not is_duplicate_of_chargeback
    group by order_line_key
),

profits as (
    select
        order_line_key,
        after_sales_cost_total
    from {{ ref('mart_order_profit') }}
),

settings as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

lines as (
    select
        order_lines.customer_key,
        order_lines.account,
        order_lines.country,
        order_lines.order_key,
        -- equal times in the order of the keys, so that every night tells the same
        {{ compact_time("order_lines.ordered_at") }} || order_lines.order_line_key as time_and_key,
        order_lines.ordered_date,
        order_lines.is_exchange,
        order_lines.is_replacement,
        case
            when order_lines.is_replacement or order_lines.is_exchange then 0
            else order_lines.quantity_ordered
        end as units_ordered,
        order_lines.net_reporting,
        coalesce(refunds.net_refund, 0) as net_refund,
        coalesce(outcomes.units_returned, 0) as units_returned,
        coalesce(outcomes.units_exchanged, 0) as units_exchanged,
        coalesce(outcomes.units_refunded_no_return, 0) as units_refunded_no_return,
        profits.after_sales_cost_total
    from order_lines
    left join outcomes on order_lines.order_line_key = outcomes.order_line_key
    left join refunds on order_lines.order_line_key = refunds.order_line_key
    left join profits on order_lines.order_line_key = profits.order_line_key
),

buyers as (
    select
        customer_key,
        min_by(account, time_and_key) as first_account,
        count(distinct account) as accounts_count,
        max_by(country, time_and_key) as country,
        min(ordered_date) as first_order_date,
        max(ordered_date) as last_order_date,
        count(distinct case when not (is_exchange or is_replacement) then order_key end) as orders,
        cast(sum(units_ordered) as bigint) as units_ordered,
        cast(sum(units_returned) as bigint) as units_returned,
        cast(sum(units_exchanged) as bigint) as units_exchanged,
        cast(sum(units_refunded_no_return) as bigint) as units_refunded_no_return,
        {{ money("sum(net_reporting - net_refund)") }} as net_value,
        {{ money("sum(after_sales_cost_total)") }} as after_sales_cost
    from lines
    group by customer_key
),

listed as (
    select
        buyers.customer_key,
        buyers.first_account,
        buyers.accounts_count,
        buyers.country,
        buyers.first_order_date,
        buyers.last_order_date,
        buyers.orders,
        buyers.units_ordered,
        buyers.units_returned,
        buyers.units_exchanged,
        buyers.units_refunded_no_return,
        {{ rate("buyers.units_returned", "buyers.units_ordered") }} as return_share,
        buyers.net_value,
        buyers.after_sales_cost,
        settings.reporting_currency,
        buyers.units_exchanged > 0 as has_exchanged
    from buyers
    cross join settings
),

reserved as (
    select
        reserved.member as customer_key,
        reserved.member as first_account,
        cast(null as bigint) as accounts_count,
        case reserved.member when 'unknown' then 'ZZ' else reserved.member end as country,
        {{ unknown_date() }} as first_order_date,
        {{ unknown_date() }} as last_order_date,
        cast(null as bigint) as orders,
        cast(null as bigint) as units_ordered,
        cast(null as bigint) as units_returned,
        cast(null as bigint) as units_exchanged,
        cast(null as bigint) as units_refunded_no_return,
        cast(null as double) as return_share,
        cast(null as decimal(18, 4)) as net_value,
        cast(null as decimal(18, 4)) as after_sales_cost,
        settings.reporting_currency,
        cast(null as boolean) as has_exchanged
    from {{ reserved_members() }}
    cross join settings
),

final as (
    select * from listed
    union all
    select * from reserved
)

select * from final
