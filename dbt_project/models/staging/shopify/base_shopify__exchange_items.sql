-- One row per order line that was sent instead of returned goods, in the same order.
with

returns as (
    select * from {{ ref('base_shopify__returns') }}
),

exchanges as (
    select
        account,
        return_id,
        order_id,
        coalesce(approved_at, requested_at) as exchanged_at,
        {{ elements("exchange_items") }} as exchange
    from returns
),

lines as (
    select
        exchanges.account,
        exchanges.return_id,
        exchanges.order_id,
        exchanges.exchanged_at,
        {{ gid_number("exchange.id") }} as exchange_id,
        {{ elements("exchange.lineItems") }} as line
    from exchanges
),

exchange_items as (
    select
        lines.account,
        lines.return_id,
        lines.order_id,
        lines.exchanged_at,
        lines.exchange_id,
        {{ gid_number("line.id") }} as line_id,
        cast(coalesce(line.quantity, 0) as bigint) as quantity
    from lines
    qualify
        row_number() over (
            partition by lines.account, {{ gid_number("line.id") }}
            order by lines.return_id, lines.exchange_id
        ) = 1
)

select * from exchange_items
