-- One row per line that was sent instead of an earlier one, with the line it stands in for: the
-- same SKU of the original order, else the same product, else its first line. Within one order the
-- original is a line of the return that was exchanged.
with

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

sent as (
    select * from order_lines
    where (is_replacement or is_exchange) and replaces_order_key not in ('none', 'unknown')
),

exchange_lines as (
    select * from {{ ref('int_exchange_line__unioned') }}
),

returned as (
    select
        exchange_lines.order_line_key as new_order_line_key,
        return_lines.order_line_key,
        return_lines.return_line_key
    from exchange_lines
    inner join {{ ref('int_return_line__linked') }} as return_lines
        on
            exchange_lines.connector = return_lines.connector
            and exchange_lines.account = return_lines.account
            and exchange_lines.return_id = return_lines.return_id
),

candidates as (
    select
        sent.order_line_key as new_order_line_key,
        original.order_line_key,
        cast(null as varchar) as return_line_key,
        case
            when original.sku = sent.sku then 1
            when original.product_id = sent.product_id and sent.product_id <> 'unknown' then 2
            else 3
        end as preference
    from sent
    inner join order_lines as original on sent.replaces_order_key = original.order_key
    where sent.order_key <> original.order_key

    union all

    select
        sent.order_line_key as new_order_line_key,
        original.order_line_key,
        returned.return_line_key,
        case
            when original.sku = sent.sku then 1
            when original.product_id = sent.product_id and sent.product_id <> 'unknown' then 2
            else 3
        end as preference
    from sent
    inner join returned on sent.order_line_key = returned.new_order_line_key
    inner join order_lines as original on returned.order_line_key = original.order_line_key
    where original.order_line_key <> sent.order_line_key
),

chosen as (
    select *
    from candidates
    qualify row_number() over (
        partition by new_order_line_key order by preference, order_line_key, return_line_key
    ) = 1
),

final as (
    select
        sent.order_line_key as new_order_line_key,
        chosen.order_line_key,
        chosen.return_line_key,
        case when sent.is_replacement then 'replacement' else 'exchange' end as exchange_kind,
        sent.sku as new_sku,
        cast(sent.quantity_ordered - sent.quantity_cancelled as bigint) as quantity,
        sent.ordered_at,
        sent.ordered_date,
        sent.shipped_at,
        sent.delivered_at,
        sent.order_status
    from sent
    inner join chosen on sent.order_line_key = chosen.new_order_line_key
)

select * from final
