{#- Formulas of facts that occur in more than one model. -#}

{#- Part over whole as a rate; NULL where the whole is 0 or not known, never 0. -#}
{% macro rate(part, whole) -%}
    case when {{ whole }} > 0 then cast({{ part }} as double) / cast({{ whole }} as double) end
{%- endmacro %}


{#- The same where the part is an estimate of its own and may pass the whole: at most 1. -#}
{% macro capped_rate(part, whole) -%}
    case
        when {{ whole }} > 0
            then least(cast({{ part }} as double) / cast({{ whole }} as double), 1)
    end
{%- endmacro %}


{#- Bounds of the Wilson interval at 95 %; NULL where there is no trial. -#}
{% macro wilson_low(hits, trials) -%}
    {{ wilson_bound(hits, trials, "-") }}
{%- endmacro %}

{% macro wilson_high(hits, trials) -%}
    {{ wilson_bound(hits, trials, "+") }}
{%- endmacro %}

{% macro wilson_bound(hits, trials, sign) -%}
    {%- set z = "1.959963984540054" -%}
    {%- set z2 = "3.8414588206941254" -%}
    {%- set k = "cast(" ~ hits ~ " as double)" -%}
    {%- set n = "cast(" ~ trials ~ " as double)" -%}
    {#- fractional hits of a lot may pass the trials by rounding: the spread is then 0 -#}
    {%- set spread = z ~ " * sqrt(greatest(" ~ k ~ " * (" ~ n ~ " - " ~ k ~ ") / " ~ n ~ ", 0) + "
        ~ z2 ~ " / 4)" -%}
    case
        when {{ trials }} > 0
            then least(
                greatest(({{ k }} + {{ z2 }} / 2 {{ sign }} {{ spread }}) / ({{ n }} + {{ z2 }}), 0),
                1
            )
    end
{%- endmacro %}


{#- none, thin or enough: trials against the settings' least, width of the interval against its most. -#}
{% macro evidence(trials, low, high, min_units, max_width) -%}
    case
        when coalesce({{ trials }}, 0) = 0 then 'none'
        when {{ trials }} >= {{ min_units }} and {{ high }} - {{ low }} <= {{ max_width }} then 'enough'
        else 'thin'
    end
{%- endmacro %}


{#- Money as it is stored. -#}
{% macro money(amount) -%}
    cast({{ amount }} as decimal(18, 4))
{%- endmacro %}


{#- How much of two half-open intervals of units is common. -#}
{% macro overlap(low_a, high_a, low_b, high_b) -%}
    greatest(least({{ high_a }}, {{ high_b }}) - greatest({{ low_a }}, {{ low_b }}), 0)
{%- endmacro %}
