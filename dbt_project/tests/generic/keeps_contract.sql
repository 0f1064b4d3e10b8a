{#- What contract section 2 promises of one published table, in one test: a night runs dozens of tables,
    and a test of its own for each promise would cost more than building them. The result says which
    promises are broken, by how many rows.

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

select broken_promises
from (
    {{- broken_promises(model, key, never_null, dimensions, facts, rates, words, members) }}
) as checked
where broken_promises <> ''

{% endtest %}
