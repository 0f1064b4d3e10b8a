-- One row per line of a reimbursement of every marketplace, as it tells it.
with

conformed as (
    {{ union_conformed('reimbursements') }}
),

final as (
    select
        {{ colon_key(["connector", "account", "reimbursement_id", "cast(line_no as varchar)"]) }}
            as reimbursement_key,
        coalesce({{ colon_key(["connector", "account", "order_id"]) }}, 'none') as order_key,
        {%- for column in conformed_columns('reimbursements') %}
            {{ column }},
        {%- endfor %}
        conformed_by
    from conformed
)

select * from final
