{#- What dialects spell differently about calendars, one macro each (DuckDB; Spark by dispatch). -#}

{#- The numbers 0 to n - 1 as rows of one column, i. -#}
{% macro integers(n) -%}
    {{ return(adapter.dispatch("integers")(n)) }}
{%- endmacro %}

{% macro default__integers(n) -%}
    select cast(range as integer) as i from range({{ n }})
{%- endmacro %}

{% macro spark__integers(n) -%}
    select cast(id as integer) as i from range({{ n }})
{%- endmacro %}


{#- A day so many days after another, as a date (date + interval gives a timestamp in DuckDB). -#}
{% macro add_days(day, days) -%}
    cast({{ day }} + ({{ days }}) * interval '1' day as date)
{%- endmacro %}


{#- Whole days from one day to a later one. -#}
{% macro days_between(from_day, to_day) -%}
    {{ dbt.datediff(from_day, to_day, "day") }}
{%- endmacro %}
