{#- The three sources of a return reason and which of them decides (facts/metrics.md 4.1).
    Arguments are canonical codes l1.l2; 'none' where the source says nothing. -#}

{#- The form in which a marketplace's code is looked up. -#}
{% macro normalised_reason_code(code) -%}
    regexp_replace(upper(trim({{ code }})), '^CR-', '')
{%- endmacro %}


{% macro reason_l1(code) -%}
    split_part({{ code }}, '.', 1)
{%- endmacro %}


{#- Text refines a code only inside its first level, or where the code says nothing. -#}
{% macro text_refines_code(code, text) -%}
    (
        {{ text }} <> 'none'
        and (
            {{ code }} = 'none'
            or {{ code }} like 'unknown.%'
            or (
                {{ reason_l1(code) }} = {{ reason_l1(text) }}
                and not ({{ code }} = 'fit.too_small' and {{ text }} = 'fit.too_large')
                and not ({{ code }} = 'fit.too_large' and {{ text }} = 'fit.too_small')
            )
        )
    )
{%- endmacro %}


{#- Inspected, else the code refined by text, else text. -#}
{% macro reason_final(code, text, inspected) -%}
    case
        when {{ inspected }} <> 'none' then {{ inspected }}
        when {{ text_refines_code(code, text) }} then {{ text }}
        else {{ code }}
    end
{%- endmacro %}


{% macro reason_source(code, text, inspected) -%}
    case
        when {{ inspected }} <> 'none' then 'inspection'
        when {{ text_refines_code(code, text) }} and {{ text }} <> {{ code }} then 'text'
        else 'code'
    end
{%- endmacro %}


{% macro reason_conflict(code, text) -%}
    ({{ text }} <> 'none' and not {{ text_refines_code(code, text) }})
{%- endmacro %}
