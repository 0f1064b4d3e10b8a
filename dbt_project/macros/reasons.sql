{#- The three sources of a return reason and which of them decides (facts/metrics.md 4.1).
    Arguments are canonical codes l1.l2; 'none' where the source says nothing. -#}

{#- The form in which a marketplace's code is looked up. -#}
{% macro normalised_reason_code(code) -%}
    regexp_replace(upper(trim({{ code }})), '^CR-', '')
{%- endmacro %}


{% macro reason_l1(code) -%}
    split_part({{ code }}, '.', 1)
{%- endmacro %}


{#- Codes that say no more than their first level: a buyer picks them for want of a closer word. -#}
{% macro is_general_reason(code) -%}
    {{ code }} in (
        'description.not_as_described', 'fit.fit_unspecified', 'fulfilment.wrong_item',
        'product_defect.functional', 'remorse.changed_mind'
    )
{%- endmacro %}


{#- A label that names what the code names in a coarser word: the two agree. Texts have no words of
    their own for most codes (contract section 9), "changed my mind" is all of remorse. -#}
{% macro text_is_coarser(code, text) -%}
    (
        {{ reason_l1(code) }} = {{ reason_l1(text) }}
        and case
            when {{ text }} in ('product_defect.functional', 'product_defect.quality_cosmetic')
                then
                    {{ code }} in (
                        'product_defect.durability_warranty', 'product_defect.expired_short_dated'
                    )
                    or (
                        {{ text }} = 'product_defect.functional'
                        and {{ code }} = 'product_defect.quality_cosmetic'
                    )
            when {{ text }} in ('logistics.late', 'logistics.not_received_lost')
                then {{ code }} <> 'logistics.damaged_in_transit'
            else {{ is_general_reason(text) }}
        end
    )
{%- endmacro %}


{#- Text refines a code that says nothing, or a general one inside its first level. It corrects a
    closer code there only where it is very sure, and never a size by the opposite one. -#}
{% macro text_refines_code(code, text, confidence) -%}
    (
        {{ text }} <> 'none'
        and (
            {{ code }} = 'none'
            or {{ code }} like 'unknown.%'
            or {{ code }} = {{ text }}
            or (
                {{ reason_l1(code) }} = {{ reason_l1(text) }}
                and ({{ is_general_reason(code) }} or coalesce({{ confidence }}, 0) >= 0.9)
                and not ({{ code }} = 'fit.too_small' and {{ text }} = 'fit.too_large')
                and not ({{ code }} = 'fit.too_large' and {{ text }} = 'fit.too_small')
            )
        )
    )
{%- endmacro %}


{#- Inspected, else the code refined by text, else text. -#}
{% macro reason_final(code, text, inspected, confidence) -%}
    case
        when {{ inspected }} <> 'none' then {{ inspected }}
        when {{ text_refines_code(code, text, confidence) }} then {{ text }}
        else {{ code }}
    end
{%- endmacro %}


{% macro reason_source(code, text, inspected, confidence) -%}
    case
        when {{ inspected }} <> 'none' then 'inspection'
        when
            {{ text_refines_code(code, text, confidence) }} and {{ text }} <> {{ code }}
            then 'text'
        else 'code'
    end
{%- endmacro %}


{% macro reason_conflict(code, text, confidence) -%}
    ({{ text }} <> 'none' and not {{ text_refines_code(code, text, confidence) }})
{%- endmacro %}


{#- The code of contract section 9 under which texts tell a canonical reason; NULL where none does. -#}
{% macro text_code_of_reason(reason) -%}
    case
        when {{ reason }} like 'fit.%' then 'size_fit'
        when {{ reason }} in ('product_defect.functional', 'product_defect.quality_cosmetic')
            then 'quality_defect'
        when {{ reason }} in ('logistics.late', 'logistics.not_received_lost')
            then 'late_or_not_received'
        when {{ reason }} = 'logistics.damaged_in_transit' then 'damaged_in_transit'
        when {{ reason }} = 'description.not_as_described' then 'not_as_described'
        when {{ reason }} = 'description.not_compatible' then 'incompatible'
        when {{ reason }} = 'fulfilment.wrong_item' then 'wrong_item'
        when {{ reason }} = 'product_defect.missing_parts' then 'missing_parts'
        when {{ reason }} = 'product_defect.authenticity_claim' then 'counterfeit_or_used'
        when {{ reason }} = 'product_defect.safety_allergy' then 'safety'
        when {{ reason }} = 'remorse.changed_mind' then 'changed_mind'
        when {{ reason }} = 'price.better_price' then 'price_value'
    end
{%- endmacro %}


{#- Units of a reason with those told by text corrected; NULL where nobody has judged the label. -#}
{% macro corrected_units(units, by_text, correction) -%}
    case
        when {{ by_text }} = 0 then cast({{ units }} as double)
        else {{ units }} - {{ by_text }} + {{ by_text }} * {{ correction }}
    end
{%- endmacro %}
