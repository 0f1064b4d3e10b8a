{#- What the models of Shopify share: ids, money of the shop, order of ids. -#}

{#- The number at the end of a global id (gid://shopify/Order/123), as text. -#}
{% macro gid_number(gid) -%}
    nullif(regexp_extract({{ gid }}, '/([^/?]+)([?].*)?$', 1), '')
{%- endmacro %}


{#- Amount in the shop's currency: the books. What the buyer saw is never summed. -#}
{% macro shop_money(bag) -%}
    try_cast({{ bag }}.shopMoney.amount as decimal(18, 4))
{%- endmacro %}


{#- Ids are digits: the shorter one is the lower one. -#}
{% macro id_order(id) -%}
    length({{ id }}), {{ id }}
{%- endmacro %}
