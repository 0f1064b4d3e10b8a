{#- One row that says which promises of a table do not hold and for how many rows, for example
    'never_null sku (3)'; empty where all hold. What the promises mean stands at the test keeps_contract. -#}
{% macro broken_promises(
    table, key, never_null=[], dimensions={}, facts={}, rates=[], words={}, members={}
) -%}
    {%- set breaches = {} -%}
    {%- for column in never_null -%}
        {%- do breaches.update({"never_null " ~ column: adapter.quote(column) ~ " is null"}) -%}
    {%- endfor -%}
    {%- for column in rates -%}
        {%- set value = adapter.quote(column) -%}
        {%- do breaches.update({"rates " ~ column: value ~ " < -1e-9 or " ~ value ~ " > 1 + 1e-9"}) -%}
    {%- endfor -%}
    {%- for column, allowed in words.items() -%}
        {%- set list = "('" ~ allowed | join("', '") ~ "')" -%}
        {%- do breaches.update({"words " ~ column: adapter.quote(column) ~ " not in " ~ list}) -%}
    {%- endfor -%}
    {%- for column, target in dimensions.items() -%}
        {%- do breaches.update({column ~ " -> " ~ target: lacks_its_row(column, target)}) -%}
    {%- endfor -%}
    {%- for column, target in facts.items() -%}
        {%- set breach = lacks_its_row(column, target, ["unknown", "none", "all"]) -%}
        {%- do breaches.update({column ~ " -> " ~ target: breach}) -%}
    {%- endfor %}
    select
        concat_ws(
            '; ',
            (
                select case when count(*) > 0 then 'key {{ key | join(", ") }} (' || count(*) || ')' end
                from (
                    select count(*) as rows_of_key
                    from {{ table }}
                    group by {% for column in key %}{{ adapter.quote(column) }}{{ ", " if not loop.last }}{% endfor %}
                    having count(*) > 1
                ) as repeated
            )
            {%- for promise in breaches %},
            case
                when sum(breach_{{ loop.index }}) > 0
                    then '{{ promise }} (' || sum(breach_{{ loop.index }}) || ')'
            end
            {%- endfor %}
            {%- for column, names in members.items() %},
            case
                when count(distinct member_{{ loop.index }}) < {{ names | length }}
                    then 'members of {{ column }}'
            end
            {%- endfor %}
        ) as broken_promises
    from (
        select
            {%- for breach in breaches.values() %}
            case when {{ breach }} then 1 else 0 end as breach_{{ loop.index }},
            {%- endfor %}
            {%- for column, names in members.items() %}
            case when {{ adapter.quote(column) }} in ('{{ names | join("', '") }}') then {{ adapter.quote(column) }} end
                as member_{{ loop.index }},
            {%- endfor %}
            1 as is_row
        from {{ table }}
    ) as looked_at
{%- endmacro %}


{#- Condition: the column has no row in the table it joins ("table.column"); what is exempt needs none. -#}
{% macro lacks_its_row(column, target, exempt=[]) -%}
    {%- set target_table, target_column = target.split(".") -%}
    {{ adapter.quote(column) }} not in (select {{ target_column }} from {{ ref(target_table) }})
    {%- if exempt %} and {{ adapter.quote(column) }} not in ('{{ exempt | join("', '") }}'){% endif %}
{%- endmacro %}
