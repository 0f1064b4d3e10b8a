-- One row per line of a removal order of every marketplace, as it tells it.
with

conformed as (
    {{ union_conformed('removals') }}
),

own_skus as (
    select * from {{ ref('int_sku__by_listing') }}
),

final as (
    select
        {{ colon_key(["conformed.connector", "conformed.account", "conformed.removal_id",
            "cast(conformed.line_no as varchar)"]) }}
            as removal_key,
        {%- for column in conformed_columns('removals') %}
            conformed.{{ column }},
        {%- endfor %}
        coalesce(own_skus.sku, conformed.sku) as own_sku,
        conformed.conformed_by
    from conformed
    left join own_skus
        on conformed.account = own_skus.account and conformed.sku = own_skus.listed_sku
)

select * from final
