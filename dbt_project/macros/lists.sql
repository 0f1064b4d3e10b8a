{#- One row per element of a list column. -#}
{% macro elements(list) -%}
    {{ return(adapter.dispatch("elements")(list)) }}
{%- endmacro %}

{% macro default__elements(list) -%}
    unnest({{ list }})
{%- endmacro %}

{% macro spark__elements(list) -%}
    explode({{ list }})
{%- endmacro %}
