{#- Canonical words of orders that more than one marketplace's staging needs. -#}

{#- Why an order was cancelled, from the marketplace's or seller's own words. -#}
{% macro cancel_reason(words) -%}
    case
        when {{ words }} is null or trim({{ words }}) = '' then 'unknown'
        when regexp_matches(lower({{ words }}), 'transit_too_long|too long|too late|not arrive|delay')
            then 'transit_too_long'
        when regexp_matches(lower({{ words }}), 'out_of_stock|out of stock|no inventory|no stock')
            then 'out_of_stock'
        when regexp_matches(lower({{ words }}), 'address') then 'address'
        when regexp_matches(lower({{ words }}), 'price|cheaper') then 'price'
        when regexp_matches(lower({{ words }}), 'duplicate|twice') then 'duplicate'
        when regexp_matches(lower({{ words }}), 'fraud') then 'fraud'
        when lower(trim({{ words }})) = 'unknown' then 'unknown'
        else 'other'
    end
{%- endmacro %}


{#- State of returned goods in canonical words. -#}
{% macro disposition(words) -%}
    case upper(replace(trim({{ words }}), ' ', '_'))
        when 'SELLABLE' then 'sellable'
        when 'DEFECTIVE' then 'defective'
        when 'CUSTOMER_DAMAGED' then 'customer_damaged'
        when 'CUSTOMERDAMAGED' then 'customer_damaged'
        when 'CARRIER_DAMAGED' then 'carrier_damaged'
        when 'CARRIERDAMAGED' then 'carrier_damaged'
        when 'DAMAGED' then 'warehouse_damaged'
        when 'WAREHOUSE_DAMAGED' then 'warehouse_damaged'
        when 'FULFILLER_DAMAGED' then 'warehouse_damaged'
        when 'FULFILLERDAMAGED' then 'warehouse_damaged'
        when 'EXPIRED' then 'expired'
        when 'MISSING' then 'missing'
        else 'unknown'
    end
{%- endmacro %}


{#- Kind of a refund in canonical words, from the channel's own; NULL where it says nothing known. -#}
{% macro refund_kind(words) -%}
    case
        when {{ words }} in (
            'full_return', 'partial_kept', 'returnless', 'inr', 'cancellation', 'price_concession',
            'shipping_only', 'exchange_difference', 'chargeback', 'guarantee_claim', 'goodwill',
            'unknown'
        ) then {{ words }}
        when {{ words }} in ('return', 'returned') then 'full_return'
        when {{ words }} in ('undeliverable', 'undelivered', 'lost', 'not_received', 'refused')
            then 'inr'
        when {{ words }} in ('partial') then 'partial_kept'
        when {{ words }} in ('cancelled', 'canceled') then 'cancellation'
        when {{ words }} in ('discount', 'price_adjustment') then 'price_concession'
    end
{%- endmacro %}
