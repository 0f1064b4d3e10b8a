{#- What contract section 2 promises of one published table, in one test: a night runs dozens of tables,
    and a test of its own for each promise would cost more than building them. Each row of the result is a
    broken promise: rule, columns, rows that break it.

    key          these columns together are unique
    never_null   these columns are never NULL (keys, and columns that join)
    dimensions   column: table.column it joins; every value has its row there
    facts        the same for references between facts, which may hold unknown, none or all instead
    rates        these columns are from 0 to 1, or NULL
    words        column: the words it may hold, or NULL
    members      column: reserved members that must have a row -#}
{% test keeps_contract(
    model, key, never_null=[], dimensions={}, facts={}, rates=[], words={}, members={}
) %}

{%- set checks = [] -%}

{%- set check -%}
    select
        'key' as broken_rule,
        '{{ key | join(", ") }}' as broken_columns,
        count(*) as broken_rows
    from (
        select count(*) as rows_of_key
        from {{ model }}
        group by {% for column in key %}{{ adapter.quote(column) }}{{ ", " if not loop.last }}{% endfor %}
        having count(*) > 1
    ) as repeated
{%- endset -%}
{%- do checks.append(check) -%}

{%- for column in never_null -%}
    {%- set check -%}
    select
        'never_null' as broken_rule,
        '{{ column }}' as broken_columns,
        count(*) as broken_rows
    from {{ model }}
    where {{ adapter.quote(column) }} is null
    {%- endset -%}
    {%- do checks.append(check) -%}
{%- endfor -%}

{%- for column, target in dimensions.items() -%}
    {%- do checks.append(broken_reference(model, column, target, [])) -%}
{%- endfor -%}

{%- for column, target in facts.items() -%}
    {%- do checks.append(broken_reference(model, column, target, ["unknown", "none", "all"])) -%}
{%- endfor -%}

{%- for column in rates -%}
    {%- set check -%}
    select
        'rates' as broken_rule,
        '{{ column }}' as broken_columns,
        count(*) as broken_rows
    from {{ model }}
    where {{ adapter.quote(column) }} < -1e-9 or {{ adapter.quote(column) }} > 1 + 1e-9
    {%- endset -%}
    {%- do checks.append(check) -%}
{%- endfor -%}

{%- for column, allowed in words.items() -%}
    {%- set check -%}
    select
        'words' as broken_rule,
        '{{ column }}' as broken_columns,
        count(*) as broken_rows
    from {{ model }}
    where {{ adapter.quote(column) }} not in ('{{ allowed | join("', '") }}')
    {%- endset -%}
    {%- do checks.append(check) -%}
{%- endfor -%}

{%- for column, names in members.items() -%}
    {%- set check -%}
    select
        'members' as broken_rule,
        '{{ column }}' as broken_columns,
        {{ names | length }} - count(distinct {{ adapter.quote(column) }}) as broken_rows
    from {{ model }}
    where {{ adapter.quote(column) }} in ('{{ names | join("', '") }}')
    {%- endset -%}
    {%- do checks.append(check) -%}
{%- endfor -%}

select
    broken_rule,
    broken_columns,
    broken_rows
from (
    {{ checks | join("\n    union all\n    ") }}
) as checked
where broken_rows > 0

{% endtest %}
