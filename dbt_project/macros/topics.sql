{#- What a case is about, in canonical words. -#}

{#- The topic that the map gives; else the source's word where it is one; else what the reason says. -#}
{% macro case_topic(mapped, told, reason) -%}
    case
        when {{ mapped }} is not null then {{ mapped }}
        when lower(trim({{ told }})) in (
            'usage_question', 'size_question', 'where_is_my_order', 'cancel_request', 'damage',
            'defect', 'wrong_or_missing', 'refund_status', 'invoice_tax', 'customs_duty',
            'allergy_safety', 'other'
        ) then lower(trim({{ told }}))
        when {{ reason }} = 'product_defect.safety_allergy' then 'allergy_safety'
        when
            {{ reason }} like 'fulfilment.%' or {{ reason }} = 'product_defect.missing_parts'
            then 'wrong_or_missing'
        when {{ reason }} like 'product_defect.%' then 'defect'
        when {{ reason }} like 'fit.%' then 'size_question'
        when {{ reason }} like 'logistics.%damage%' then 'damage'
        when {{ reason }} like 'logistics.%' then 'where_is_my_order'
        else 'other'
    end
{%- endmacro %}
