{#- Events of one kind from one fact: when, of which line (all: the whole order), by what it is told
    apart from others of its kind. -#}
{% macro order_event(
    kind, at, rows, line="'all'", origin="''", note="''", promised="cast(null as timestamp)",
    connector="connector"
) -%}
    select
        order_key,
        {{ line }} as order_line_key,
        account,
        marketplace,
        {{ kind }} as event_kind,
        {{ at }} as occurred_at,
        {{ promised }} as promised_at,
        {{ connector }} as source,
        {{ origin }} as origin,
        {{ note }} as note
    from {{ rows }}
{%- endmacro %}


{#- The connector that tells what a key names: keys begin with it. -#}
{% macro teller(key) -%}
    split_part({{ key }}, ':', 1)
{%- endmacro %}
