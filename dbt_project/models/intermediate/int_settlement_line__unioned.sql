-- One row per row of a settlement of every source. A file may name an order by its number.
with

conformed as (
    {{ union_conformed('settlement_lines') }}
),

refs as (
    select * from {{ ref('int_order_ref__matched') }}
),

final as (
    select
        {%- for column in conformed_columns('settlement_lines') if column != "order_id" %}
            conformed.{{ column }},
        {%- endfor %}
        coalesce(refs.order_id, conformed.order_id) as order_id,
        conformed.conformed_by
    from conformed
    left join refs
        on
            conformed.connector = refs.connector
            and conformed.account = refs.account
            -- a bare constant in the join makes it grow with the square of the rows
            and case when conformed.conformed_by = 'files' then conformed.order_id end
            = refs.order_ref
)

select * from final
