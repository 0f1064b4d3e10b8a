{#- An amount spread over the rows of a group in proportion to a weight, in cents by largest
    remainder, ties to the lowest row by `tie` (facts/metrics.md 2.4); weights that are all 0 leave
    it to the lowest row. A query over `relation` with its columns, the part as `share` and the steps
    to it. Group and tie are lists of columns; amount and weight may be negative or NULL, which
    counts as 0. -#}
{% macro spread(relation, group, amount, weight, tie) -%}
    {%- set by = group | join(", ") -%}
    {%- set order = tie | join(", ") -%}
    select
        *,
        cast(
            sign({{ amount }}) * (
                cents_floor
                + case
                    when
                        row_number() over (
                            partition by {{ by }} order by cents_remainder desc, {{ order }}
                        )
                        <= cents_to_spread - sum(cents_floor) over (partition by {{ by }})
                        then 1
                    else 0
                end
            ) / 100 as decimal(18, 4)
        ) as share
    from (
        select
            *,
            (cents_to_spread * weight_used) % weight_total as cents_remainder,
            cast(
                round(
                    (
                        cents_to_spread * weight_used
                        - (cents_to_spread * weight_used) % weight_total
                    ) / weight_total
                ) as bigint
            ) as cents_floor
        from (
            select
                *,
                sum(weight_used) over (partition by {{ by }}) as weight_total
            from (
                select
                    *,
                    case
                        when sum(weight_given) over (partition by {{ by }}) > 0 then weight_given
                        when row_number() over (partition by {{ by }} order by {{ order }}) = 1
                            then 1
                        else 0
                    end as weight_used
                from (
                    select
                        *,
                        cast(round(abs(coalesce({{ amount }}, 0)) * 100) as decimal(18, 0))
                            as cents_to_spread,
                        cast(round(greatest(coalesce({{ weight }}, 0), 0) * 10000) as decimal(18, 0))
                            as weight_given
                    from {{ relation }}
                ) as counted
            ) as weighed
        ) as totalled
    ) as floored
{%- endmacro %}
