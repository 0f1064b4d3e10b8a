-- One row per ordered line that was sent instead of returned goods within the same order.
with

conformed as (
    {{ union_conformed('exchange_lines') }}
),

final as (
    select
        {{ colon_key(["connector", "account", "order_id", "line_id"]) }} as order_line_key,
        {{ colon_key(["connector", "account", "order_id"]) }} as order_key,
        connector,
        account,
        return_id,
        exchange_id,
        exchanged_at
    from conformed
    qualify
        row_number() over (
            partition by connector, account, order_id, line_id order by return_id, exchange_id
        ) = 1
)

select * from final
