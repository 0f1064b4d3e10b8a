{#- Pools of stock whose lots stand from the last build, with the fingerprint of the moves that they
    were allocated from; no rows on the first build and on a full one. The model that keeps them reads
    the one that calls this, so it is looked up by name: its rows are of the build before. -#}
{% macro stored_pool_fingerprints(model_name) -%}
    {%- set stored = none -%}
    {%- if execute and not flags.FULL_REFRESH -%}
        {%- set stored = adapter.get_relation(
            database=this.database, schema=this.schema, identifier=model_name
        ) -%}
    {%- endif -%}
    {%- if stored is none or stored is not defined -%}
        select
            cast(null as varchar) as pool_key,
            cast(null as varchar) as pool_fingerprint
        where false
    {%- else -%}
        select distinct
            pool_key,
            pool_fingerprint
        from {{ stored }}
    {%- endif -%}
{%- endmacro %}
