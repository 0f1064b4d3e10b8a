{#- How a table is made: dropped and made anew inside one transaction, which a crash undoes. The adapter's
    own way makes it beside the old one, renames both and drops the old one after the commit: a seventh of
    the whole build, for readers that the working warehouse does not have. -#}
{% materialization table, adapter="duckdb", supported_languages=["sql", "python"] %}

    {%- set language = model["language"] -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type="table") -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {#- a statement of SQL may hold the drop, a model in Python may not -#}
    {%- set drops_itself = language == "sql" and (existing_relation is none or existing_relation.is_table) -%}
    {%- if existing_relation is not none and not drops_itself -%}
        {{ drop_relation_if_exists(existing_relation) }}
    {%- endif -%}

    {%- call statement("main", language=language) -%}
        {%- if drops_itself %}
        drop table if exists {{ target_relation }};
        {% endif -%}
        {{- create_table_as(False, target_relation, compiled_code, language) -}}
    {%- endcall -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({"relations": [target_relation]}) }}

{% endmaterialization %}
