-- One row per refund of a line of every source as the source tells it, and per lost chargeback.
with

told as (
    {{ union_conformed('refund_lines') }}
),

charged_back as (
    select * from {{ ref('int_refund_line__charged_back') }}
),

conformed as (
    select * from told
    union all
    select
        {%- for column in conformed_columns('refund_lines') %}
            {{ column }},
        {%- endfor %}
        conformed_by
    from charged_back
),

final as (
    select
        {{ colon_key(["connector", "account", "refund_id", "line"]) }} as refund_line_key,
        {%- for column in conformed_columns('refund_lines') %}
            {{ column }},
        {%- endfor %}
        conformed_by
    from conformed
    -- two words for one channel may bring a line twice
    qualify row_number() over (
        partition by connector, account, refund_id, line order by refunded_at, order_id
    ) = 1
)

select * from final
