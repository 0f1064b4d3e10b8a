-- One row per order line of a lost or accepted chargeback: its amount spread over the order's lines
-- by what the buyer had paid for each, in the shape of a refund.
with

disputes as (
    {{ union_conformed('disputes') }}
),

order_lines as (
    select * from {{ ref('int_order_line__unioned') }}
),

exchange_lines as (
    select * from {{ ref('int_exchange_line__unioned') }}
),

lost as (
    select *
    from disputes
    where dispute_kind = 'chargeback' and status in ('lost', 'accepted') and amount > 0
),

charged as (
    select
        lost.connector,
        lost.account,
        lost.dispute_id,
        lost.order_id,
        lost.currency,
        lost.opened_at,
        coalesce(lost.closed_at, lost.opened_at) as charged_at,
        lost.amount as dispute_amount,
        order_lines.line_id,
        order_lines.sku,
        coalesce(order_lines.tax_amount, 0) as line_tax,
        coalesce(order_lines.shipping_amount, 0) as line_shipping,
        coalesce(order_lines.net_amount, 0)
        + coalesce(order_lines.tax_amount, 0)
        + coalesce(order_lines.shipping_amount, 0) as gross
    from lost
    inner join order_lines
        on
            lost.connector = order_lines.connector
            and lost.account = order_lines.account
            and lost.order_id = order_lines.order_id
    left join exchange_lines on order_lines.order_line_key = exchange_lines.order_line_key
    where exchange_lines.order_line_key is null
),

shares as (
    {{ spread("charged", ["connector", "account", "dispute_id"], "dispute_amount", "gross",
        ["length(line_id)", "line_id"]) }}
),

split as (
    select
        *,
        {{ money("case
            when gross > 0
                then round(cast(share as double) * cast(line_tax as double) / cast(gross as double), 2)
            else 0
        end") }} as tax_amount,
        {{ money("case
            when gross > 0
                then round(
                    cast(share as double) * cast(line_shipping as double) / cast(gross as double), 2
                )
            else 0
        end") }} as shipping_amount
    from shares
    where share <> 0
),

final as (
    select
        connector,
        account,
        'dispute-' || dispute_id as refund_id,
        line_id as line,
        order_id,
        line_id,
        sku,
        cast(null as varchar) as return_id,
        charged_at as refunded_at,
        currency,
        {{ money("share - tax_amount") }} as net_amount,
        tax_amount,
        shipping_amount,
        'chargeback' as native_kind,
        'original_payment' as refund_method,
        cast(null as bigint) as units,
        cast(null as boolean) as is_returnless,
        'marketplace' as amount_source,
        {{ money("share - tax_amount - shipping_amount") }} as goods_amount,
        connector as conformed_by,
        opened_at
    from split
)

select * from final
