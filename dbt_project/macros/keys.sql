{#- How keys are built (contract section 2): parts joined by a colon or a bar, with both and the
    percent sign encoded inside a part. -#}
{% macro key_part(text) -%}
    replace(replace(replace({{ text }}, '%', '%25'), ':', '%3A'), '|', '%7C')
{%- endmacro %}


{#- Parts joined by a colon: order_key, order_line_key, return_line_key. NULL if a part is NULL. -#}
{% macro colon_key(parts) -%}
    {%- for part in parts -%}
        {{ key_part(part) }}{{ " || ':' || " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{#- The lot of a SKU: sku|lot_id. -#}
{% macro lot_key(sku, lot_id) -%}
    {{ key_part(sku) }} || '|' || {{ key_part(lot_id) }}
{%- endmacro %}
