{#- Times come as ISO 8601 text and are kept in UTC; dates are those of a time zone. -#}

{#- Text as landed to a timestamp in UTC; NULL where it is none. -#}
{% macro iso_timestamp(text) -%}
    try_cast({{ text }} as timestamp)
{%- endmacro %}


{#- Milliseconds since 1970 to a timestamp in UTC. -#}
{% macro epoch_ms_timestamp(milliseconds) -%}
    {{ return(adapter.dispatch("epoch_ms_timestamp")(milliseconds)) }}
{%- endmacro %}

{% macro default__epoch_ms_timestamp(milliseconds) -%}
    make_timestamp(({{ milliseconds }}) * 1000)
{%- endmacro %}

{% macro spark__epoch_ms_timestamp(milliseconds) -%}
    timestamp_millis({{ milliseconds }})
{%- endmacro %}


{#- Text to a timestamp, where a pure date is noon in UTC: that day in the zone of every marketplace. -#}
{% macro iso_time_or_noon(text) -%}
    case
        when length({{ text }}) = 10
            then {{ iso_timestamp(text) }} + interval '12' hour
        else {{ iso_timestamp(text) }}
    end
{%- endmacro %}


{#- A timestamp in UTC as the wall clock of a time zone. -#}
{% macro local_time(at, zone) -%}
    {{ return(adapter.dispatch("local_time")(at, zone)) }}
{%- endmacro %}

{#- A zone that differs from row to row costs two microseconds a row: UTC, which is there, does not. -#}
{% macro default__local_time(at, zone) -%}
    case
        when {{ zone }} = 'UTC' then {{ at }}
        else (({{ at }}) at time zone 'UTC') at time zone {{ zone }}
    end
{%- endmacro %}

{% macro spark__local_time(at, zone) -%}
    convert_timezone('UTC', {{ zone }}, {{ at }})
{%- endmacro %}


{#- The calendar date of a timestamp in UTC at a time zone. -#}
{% macro local_date(at, zone) -%}
    cast({{ local_time(at, zone) }} as date)
{%- endmacro %}


{#- Hours waited from one moment to another; NULL where either is not known or they are in disorder. -#}
{% macro hours_waited(start, stop) -%}
    case when {{ stop }} >= {{ start }} then {{ hours_between(start, stop) }} end
{%- endmacro %}


{#- The first day of the month of a date. -#}
{% macro month_of(day) -%}
    cast(date_trunc('month', {{ day }}) as date)
{%- endmacro %}


{#- A timestamp in UTC as compact text for keys, 20260109T081500Z. -#}
{% macro compact_time(at) -%}
    {{ return(adapter.dispatch("compact_time")(at)) }}
{%- endmacro %}

{% macro default__compact_time(at) -%}
    strftime({{ at }}, '%Y%m%dT%H%M%SZ')
{%- endmacro %}

{% macro spark__compact_time(at) -%}
    date_format({{ at }}, "yyyyMMdd'T'HHmmss'Z'")
{%- endmacro %}


{#- Microseconds since 1970 of a timestamp in UTC, to put moves of stock in order. -#}
{% macro epoch_microseconds(at) -%}
    {{ return(adapter.dispatch("epoch_microseconds")(at)) }}
{%- endmacro %}

{% macro default__epoch_microseconds(at) -%}
    epoch_us({{ at }})
{%- endmacro %}

{% macro spark__epoch_microseconds(at) -%}
    unix_micros({{ at }})
{%- endmacro %}
