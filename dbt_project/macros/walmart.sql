{#- Walmart writes one reason in several ways: `ItemNotAsAdvertised`, `ITEM_NOT_AS_ADVERTISED`,
    `Finance -> Goodwill`. Its letters alone, in small. -#}
{% macro bare_letters(words) -%}
    replace(
        replace(replace(replace(replace(lower({{ words }}), ' ', ''), '_', ''), '-', ''), '>', ''),
        '&', ''
    )
{%- endmacro %}
