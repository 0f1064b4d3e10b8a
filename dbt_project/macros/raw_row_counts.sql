{#- Rows held per connector, account and stream: one count per raw table that is declared as a source.
    SQL has no list of tables to loop over, the sources have. -#}
{% macro raw_row_counts() -%}
    {%- set tables = [] -%}
    {%- if execute -%}
        {%- for source in graph.sources.values() if source.schema.startswith("raw_") -%}
            {%- do tables.append(source) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for table in tables | sort(attribute="unique_id") %}
    select
        '{{ table.schema | replace("raw_", "", 1) }}' as connector,
        _account as account,
        '{{ table.identifier }}' as stream,
        count(*) as rows_total
    from {{ adapter.quote(table.schema) }}.{{ adapter.quote(table.identifier) }}
    group by _account
    union all
    {%- endfor %}
    select
        cast(null as varchar) as connector,
        cast(null as varchar) as account,
        cast(null as varchar) as stream,
        0 as rows_total
    where false
{%- endmacro %}
