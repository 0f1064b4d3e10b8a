{#- What the models of eBay share: money, marketplaces. -#}

{#- Amount in the currency that eBay keeps the seller's account in. -#}
{% macro ebay_money(amount) -%}
    try_cast({{ amount }}.value as decimal(18, 4))
{%- endmacro %}


{#- Our name of a marketplace id; the site for vehicles is part of its country's. -#}
{% macro ebay_marketplace(id) -%}
    lower(regexp_replace({{ id }}, '^EBAY_MOTORS(_US)?$', 'EBAY_US'))
{%- endmacro %}


{#- An amount in the currency of its movement; NULL where no rate is known. -#}
{% macro ebay_converted(amount, currency, target, fee_rate) -%}
    case
        when {{ currency }} = {{ target }} then cast({{ amount }} as decimal(18, 4))
        else cast(round(cast({{ amount }} as double) * {{ fee_rate }}, 2) as decimal(18, 4))
    end
{%- endmacro %}
