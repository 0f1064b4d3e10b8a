{#- The additive columns of the return marts: mart_return_base sums them over lines, the marts by SKU
    and by region sum them again. -#}
{% macro return_counts() -%}
    {{ return([
        "units_shipped", "units_return_requested", "units_return_received", "units_returned",
        "units_returned_after_horizon", "units_refunded", "units_refunded_no_return",
        "units_exchanged", "units_replaced", "units_defective", "units_defective_confirmed",
        "units_graded", "units_resellable", "units_claimed_defective_graded",
        "units_no_fault_found", "too_small", "too_large", "fit_unspecified",
        "units_with_return_event", "units_repeat_return", "units_request_known",
        "units_receipt_known", "units_delivery_estimated",
    ]) }}
{%- endmacro %}


{#- Sums of them and of the money, and what holds for all lines of the group. -#}
{% macro return_sums() -%}
    {%- for column in return_counts() %}
        cast(sum({{ column }}) as bigint) as {{ column }},
    {%- endfor %}
        {{ money("sum(net_sales)") }} as net_sales,
        {{ money("sum(returned_net_sales)") }} as returned_net_sales,
        min(reporting_currency) as reporting_currency,
        cast(max(horizon_days) as bigint) as horizon_days,
        bool_and(is_mature) as is_mature
{%- endmacro %}


{#- The rates that the marts by SKU and by region have in common, over columns of `from`. -#}
{% macro return_rates(from) -%}
        {{ rate(from ~ ".units_returned", from ~ ".units_shipped") }} as unit_return_rate,
        case
            when {{ from }}.is_mature
                then {{ rate(from ~ ".units_returned", from ~ ".units_shipped") }}
        end as unit_return_rate_mature,
        {{ wilson_low(from ~ ".units_returned", from ~ ".units_shipped") }} as wilson_low,
        {{ wilson_high(from ~ ".units_returned", from ~ ".units_shipped") }} as wilson_high,
        {{ rate(
            "(" ~ from ~ ".units_returned + " ~ from ~ ".units_exchanged + " ~ from
            ~ ".units_replaced)",
            from ~ ".units_shipped"
        ) }} as return_or_exchange_rate,
        {{ rate(from ~ ".returned_net_sales", from ~ ".net_sales") }} as value_return_rate,
        {{ rate(from ~ ".units_defective", from ~ ".units_shipped") }} as defect_rate,
        {{ wilson_low(from ~ ".units_defective", from ~ ".units_shipped") }} as defect_rate_low,
        {{ wilson_high(from ~ ".units_defective", from ~ ".units_shipped") }} as defect_rate_high,
        case
            when {{ from }}.units_graded > 0
                then {{ rate(from ~ ".units_defective_confirmed", from ~ ".units_shipped") }}
        end as defect_rate_confirmed,
        {{ rate(from ~ ".units_no_fault_found", from ~ ".units_claimed_defective_graded") }}
            as no_fault_found_rate,
        {{ rate(from ~ ".units_exchanged", from ~ ".units_shipped") }} as exchange_rate,
        {{ rate(from ~ ".units_replaced", from ~ ".units_shipped") }} as replacement_rate,
        {{ rate(from ~ ".units_repeat_return", from ~ ".units_with_return_event") }}
            as repeat_return_rate,
        {{ rate(from ~ ".units_resellable", from ~ ".units_graded") }} as resellable_rate
{%- endmacro %}
