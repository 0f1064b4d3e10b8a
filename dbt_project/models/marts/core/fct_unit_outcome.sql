with

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

counted as (
    select * from {{ ref('int_unit_outcome__counted') }}
),

outcomes as (
    {%- for outcome in unit_outcomes() %}
        select
            order_line_key,
            '{{ outcome }}' as outcome,
            {{ outcome }} as quantity
        from counted
        {{ "union all" if not loop.last }}
    {%- endfor %}
),

final as (
    select
        order_lines.order_line_key,
        order_lines.order_key,
        order_lines.account,
        order_lines.marketplace,
        order_lines.country,
        order_lines.sku,
        order_lines.cohort_month,
        outcomes.outcome,
        cast(outcomes.quantity as bigint) as quantity
    from outcomes
    inner join order_lines on outcomes.order_line_key = order_lines.order_line_key
    where outcomes.quantity <> 0
)

select * from final
