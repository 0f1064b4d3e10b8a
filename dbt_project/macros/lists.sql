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


{#- Texts of a group in alphabetical order, joined. -#}
{% macro ordered_list(text, separator) -%}
    {{ return(adapter.dispatch("ordered_list")(text, separator)) }}
{%- endmacro %}

{% macro default__ordered_list(text, separator) -%}
    string_agg({{ text }}, '{{ separator }}' order by {{ text }})
{%- endmacro %}

{% macro spark__ordered_list(text, separator) -%}
    array_join(sort_array(collect_list({{ text }})), '{{ separator }}')
{%- endmacro %}
