{#- Rows of a table whose column has no row in the table it joins ("table.column"). -#}
{% macro broken_reference(model, column, target, exempt) -%}
    {%- set table, target_column = target.split(".") -%}
    select
        'reference' as broken_rule,
        '{{ column }} -> {{ target }}' as broken_columns,
        count(*) as broken_rows
    from {{ model }} as referring
    left join (
        select distinct {{ target_column }} as referred_value
        from {{ ref(table) }}
    ) as referred
        on referring.{{ adapter.quote(column) }} = referred.referred_value
    where
        referred.referred_value is null
        and referring.{{ adapter.quote(column) }} is not null
        {%- if exempt %}
        and referring.{{ adapter.quote(column) }} not in ('{{ exempt | join("', '") }}')
        {%- endif %}
{%- endmacro %}
