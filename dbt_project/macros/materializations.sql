{#- How tables and views are made: at once under their own name, inside one transaction that a crash undoes.
    The adapter's own way makes each beside the old one, renames both and drops the old one after the commit,
    for readers that the working warehouse does not have; and of a table with a contract it plans the whole
    query twice more before it runs it. Together a quarter of the build of a small night. -#}
{% materialization table, adapter="duckdb", supported_languages=["sql", "python"] %}

    {%- set language = model["language"] -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type="table") -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {#- a statement of SQL may hold the drop, a model in Python may not -#}
    {%- set drops_itself = language == "sql" and (existing_relation is none or existing_relation.is_table) -%}
    {%- set keeps_contract = language == "sql" and config.get("contract").enforced -%}
    {%- if existing_relation is not none and not drops_itself -%}
        {{ drop_relation_if_exists(existing_relation) }}
    {%- endif -%}

    {%- call statement("main", language=language) -%}
        {%- if drops_itself %}
        drop table if exists {{ target_relation }};
        {% endif -%}
        {%- if keeps_contract %}
        {%- set promised = promised_columns() %}
        create table {{ target_relation }} as
        select {{ promised }}, * exclude ({{ promised }}) from (
            {{ compiled_code }}
        ) as made;
        {%- else -%}
            {{- create_table_as(False, target_relation, compiled_code, language) -}}
        {%- endif -%}
    {%- endcall -%}
    {%- if keeps_contract -%}
        {% do assert_contract_of(target_relation) %}
    {%- endif -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({"relations": [target_relation]}) }}

{% endmaterialization %}


{% materialization view, adapter="duckdb" %}

    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type="view") -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if existing_relation is not none and not existing_relation.is_view -%}
        {{ drop_relation_if_exists(existing_relation) }}
    {%- endif -%}

    {%- call statement("main") %}
        create or replace view {{ target_relation }} as (
            {{ compiled_code }}
        )
    {%- endcall %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({"relations": [target_relation]}) }}

{% endmaterialization %}


{#- The columns of the contract in its order. -#}
{% macro promised_columns() -%}
    {%- for column in model.columns.values() -%}
        {{ adapter.quote(column.name) }}{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{#- Raises dbt's own error of a broken contract where the table is not as its yml says: asked of the table,
    which costs nothing, not of its query. -#}
{% macro assert_contract_of(relation) -%}
    {%- set found = [] -%}
    {%- for column in get_column_schema_from_query("select * from " ~ relation) -%}
        {%- do found.append(column.name ~ " " ~ column.dtype | upper) -%}
    {%- endfor -%}
    {%- set promised = [] -%}
    {%- for column in model.columns.values() -%}
        {%- do promised.append(column.name ~ " " ~ column.data_type | upper) -%}
    {%- endfor -%}
    {%- if found != promised -%}
        {{ assert_columns_equivalent("select * from " ~ relation) }}
    {%- endif -%}
{%- endmacro %}
