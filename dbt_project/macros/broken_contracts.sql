{#- Every promise that the yml makes of the published models of one prefix (test keeps_contract), in one
    query: the same test once for each of the tables takes longer than building them. -#}
{% macro broken_contracts(prefix) -%}
    {%- set checks = [] -%}
    {%- for name in published_models() -%}
        {%- set table = ref(name) -%}
        {%- if execute and name.startswith(prefix) -%}
            {%- do checks.append(contract_check(name, table)) -%}
        {%- endif -%}
    {%- endfor %}
select
    table_name,
    broken_promises
from (
    {{ checks | join("\n    union all\n    ") if execute else "select 1" }}
) as checked
where broken_promises <> ''
{%- endmacro %}


{#- One row: the table and what is broken, from the arguments of its test in the yml. -#}
{% macro contract_check(name, table) -%}
    {%- set model_id = "model." ~ project_name ~ "." ~ name -%}
    {%- for node in graph.nodes.values() if
        node.attached_node == model_id and node.test_metadata.name == "keeps_contract" -%}
        {%- set promised = {} -%}
        {%- for argument, value in node.test_metadata.kwargs.items() if argument != "model" -%}
            {%- do promised.update({argument: value}) -%}
        {%- endfor -%}
        select '{{ name }}' as table_name, * from ({{ broken_promises(table, **promised) }}) as promised
    {%- endfor -%}
{%- endmacro %}
