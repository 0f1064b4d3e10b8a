-- One row per line of a removal order of every marketplace, as it tells it.
with

conformed as (
    {{ union_conformed('removals') }}
),

final as (
    select
        {{ colon_key(["connector", "account", "removal_id", "cast(line_no as varchar)"]) }}
            as removal_key,
        {%- for column in conformed_columns('removals') %}
            {{ column }},
        {%- endfor %}
        conformed_by
    from conformed
)

select * from final
