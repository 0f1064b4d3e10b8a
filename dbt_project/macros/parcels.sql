{#- What the models of parcels share: words of carriers and statuses, the order of milestones. -#}

{#- A carrier or service as people write it, in one form: lower case, words joined by _. -#}
{% macro carrier_word(text) -%}
    nullif(
        replace(replace(replace(lower(trim({{ text }})), ' ', '_'), '-', '_'), '.', ''), ''
    )
{%- endmacro %}


{#- A status as sources write it, in one form: lower case without blanks and joints. -#}
{% macro status_word(text) -%}
    nullif(
        replace(replace(replace(lower(trim({{ text }})), ' ', ''), '-', ''), '_', ''), ''
    )
{%- endmacro %}


{#- A tracking number is text: without blanks, upper case, leading zeros kept. -#}
{% macro tracking_number(text) -%}
    nullif(upper(replace(trim({{ text }}), ' ', '')), '')
{%- endmacro %}


{#- carrier|service, the key of dim_carrier. -#}
{% macro carrier_key(carrier, service) -%}
    case
        when {{ carrier }} = 'unknown' and {{ service }} = 'unknown' then 'unknown'
        else {{ key_part(carrier) }} || '|' || {{ key_part(service) }}
    end
{%- endmacro %}


{#- Milestones in their order; KEEP, whose milestone is that of the event before, comes last. -#}
{% macro milestone_rank(milestone) -%}
    case {{ milestone }}
        when 'UNKNOWN' then 0
        when 'LABEL_CREATED' then 10
        when 'ACCEPTED' then 20
        when 'IN_TRANSIT' then 30
        when 'DEPARTED_ORIGIN' then 32
        when 'ARRIVED_DESTINATION' then 34
        when 'CUSTOMS_STARTED' then 36
        when 'CUSTOMS_CLEARED' then 38
        when 'OUT_FOR_DELIVERY' then 50
        when 'AVAILABLE_FOR_PICKUP' then 55
        when 'DELIVERED' then 60
        when 'RETURNING' then 70
        when 'RETURNED' then 80
        when 'CLOSED' then 90
        else 99
    end
{%- endmacro %}


{#- Which source is believed where they disagree: carrier's file, 17TRACK, AfterShip, marketplace. -#}
{% macro tracking_source_rank(source) -%}
    case {{ source }}
        when 'file' then 1
        when 'seventeentrack' then 2
        when 'aftership' then 3
        else 4
    end
{%- endmacro %}


{#- Whether a text says that a delivery was one back to the sender: carriers book it as delivered. -#}
{% macro says_back_to_sender(text) -%}
    coalesce(
        regexp_matches(
            lower({{ text }}),
            'to (the )?(original )?(sender|shipper|consignor)|(退回|退还|返回)(至|给)?(寄件人|发件人|寄件方)'
        ),
        false
    )
{%- endmacro %}


{#- Hours from one time to a later one. -#}
{% macro hours_between(from_at, to_at) -%}
    cast({{ epoch_microseconds(to_at) }} - {{ epoch_microseconds(from_at) }} as double)
    / 3600000000.0
{%- endmacro %}
