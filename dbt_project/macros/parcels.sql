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


{#- Orders by every name that is one order's only, whoever tells it. -#}
{% macro orders_by_name() -%}
    select
        order_ref,
        min(order_key) as order_key
    from {{ ref('int_order_ref__matched') }}
    where order_key is not null
    group by order_ref
    having count(distinct order_key) = 1
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


{#- Days to two decimals; counted in hundredths, so that halves go up. -#}
{% macro days_to_hundredths(from_at, to_at) -%}
    floor(
        ({{ epoch_microseconds(to_at) }} - {{ epoch_microseconds(from_at) }}) / 864000000.0 + 0.5
    ) / 100.0
{%- endmacro %}


{#- Whether a time as text says how far it is from UTC; an hour needs to be there too. -#}
{% macro has_offset(text) -%}
    coalesce(regexp_matches({{ text }}, '[T ][0-9]{2}:.*(Z|[+-][0-9]{2}:?[0-9]{2})$'), false)
{%- endmacro %}


{#- A time with its offset as a timestamp in UTC; NULL where it is none. -#}
{% macro offset_timestamp(text) -%}
    {{ return(adapter.dispatch("offset_timestamp")(text)) }}
{%- endmacro %}

{% macro default__offset_timestamp(text) -%}
    try_cast({{ text }} as timestamptz) at time zone 'UTC'
{%- endmacro %}

{% macro spark__offset_timestamp(text) -%}
    to_timestamp_ntz(try_to_timestamp({{ text }}))
{%- endmacro %}


{#- The day as written, which is the day at the place; 24:00 is the start of the next one. -#}
{% macro local_day(text) -%}
    case
        when substring({{ text }}, 12, 5) = '24:00'
            then {{ add_days("try_cast(substring(" ~ text ~ ", 1, 10) as date)", 1) }}
        else try_cast(substring({{ text }}, 1, 10) as date)
    end
{%- endmacro %}


{#- Whether a row of int_parcel_bill__spread bills the way to the buyer: what it costs is a cost of
    the sale. A way back that is billed on the same number is none. -#}
{% macro is_way_out(bills) -%}
    (
        {{ bills }}.direction <> 'return'
        and {{ bills }}.charge_type in ('freight', 'surcharge', 'duty')
    )
{%- endmacro %}
