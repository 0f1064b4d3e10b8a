{#- The night's clock as a timestamp in UTC: the only "now" there is for a model. -#}
{% macro as_of_at() -%}
    cast('{{ var("as_of") | string | replace("Z", "") | replace("T", " ") }}' as timestamp)
{%- endmacro %}


{#- The clock's calendar day in UTC. -#}
{% macro as_of_date() -%}
    cast({{ as_of_at() }} as date)
{%- endmacro %}


{#- The day that stands for "unknown" or "all" in a column that joins dim_date. -#}
{% macro unknown_date() -%}
    cast('1900-01-01' as date)
{%- endmacro %}
