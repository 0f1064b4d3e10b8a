-- One row per returned line of every source, as the source tells it.
with

conformed as (
    {{ union_conformed('return_lines') }}
),

final as (
    select
        {{ colon_key(["connector", "account", "return_id", "line"]) }} as return_line_key,
        {%- for column in conformed_columns('return_lines') %}
            {{ column }},
        {%- endfor %}
        conformed_by
    from conformed
    -- two words for one channel may bring a line twice
    qualify row_number() over (
        partition by connector, account, return_id, line
        order by received_at nulls last, requested_at nulls last, order_id
    ) = 1
)

select * from final
