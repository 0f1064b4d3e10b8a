{#- The outcomes of a unit; together they are what was ordered (facts/metrics.md 1.2). -#}
{% macro unit_outcomes() -%}
    {{ return([
        "cancelled_pre_ship", "unshipped_open", "in_transit", "undelivered", "kept",
        "returned_refunded", "refunded_no_return", "exchanged", "replaced", "return_in_progress",
    ]) }}
{%- endmacro %}
