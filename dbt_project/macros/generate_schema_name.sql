{#- The schema of a model is the one its folder names (staging, intermediate, marts, signals, meta),
    without dbt's usual prefix: people and BI tools need the plain name. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
