{#- No rows, with the columns and types that the model's yml promises: a published table that no
    source fills yet exists empty, it is never missing. -#}
{% macro empty_table() -%}
    select
    {%- if execute %}
        {%- for column in model.columns.values() %}
        cast(null as {{ column.data_type }}) as {{ adapter.quote(column.name) }}
        {{- "," if not loop.last }}
        {%- endfor %}
    {%- else %}
        1 as not_parsed_yet
    {%- endif %}
    where false
{%- endmacro %}
