-- One row per refund and order line (units cancelled before shipping apart), with what was really
-- paid back. Shipping, adjustments and duties belong to a refund as a whole: they are spread over
-- its lines by value, or over the order's lines where the refund names none.
with

refunds as (
    select * from {{ ref('base_shopify__refunds') }}
    where is_done
),

orders as (
    select * from {{ ref('base_shopify__orders') }}
),

lines as (
    select * from {{ ref('base_shopify__lines') }}
    where is_counted
),

exchange_items as (
    select * from {{ ref('base_shopify__exchange_items') }}
),

refund_items as (
    select
        refund_items.*,
        refund_items.subtotal
        - case when orders.taxes_included then refund_items.tax else 0 end as goods
    from {{ ref('base_shopify__refund_items') }} as refund_items
    inner join orders
        on
            refund_items.account = orders.account
            and refund_items.order_id = orders.order_id
    where refund_items.is_done
),

item_sums as (
    select
        account,
        refund_id,
        sum(goods + tax) as gross,
        cast(sum(quantity) as bigint) as units
    from refund_items
    group by account, refund_id
),

counted_items as (
    select refund_items.*
    from refund_items
    inner join lines
        on refund_items.account = lines.account and refund_items.line_id = lines.line_id
),

counted_sums as (
    select
        account,
        refund_id,
        sum(goods) as goods
    from counted_items
    group by account, refund_id
),

shipping_parts as (
    select
        account,
        refund_id,
        {{ elements("shipping_lines") }} as part
    from refunds
),

shipping as (
    select
        shipping_parts.account,
        shipping_parts.refund_id,
        sum({{ shop_money("part.subtotalAmountSet") }}) as amount,
        sum(coalesce({{ shop_money("part.taxAmountSet") }}, 0)) as tax
    from shipping_parts
    group by shipping_parts.account, shipping_parts.refund_id
),

adjustment_parts as (
    select
        account,
        refund_id,
        {{ elements("adjustments") }} as part
    from refunds
),

adjustments as (
    select
        adjustment_parts.account,
        adjustment_parts.refund_id,
        -sum({{ shop_money("part.amountSet") }}) as amount,
        -sum(coalesce({{ shop_money("part.taxAmountSet") }}, 0)) as tax
    from adjustment_parts
    group by adjustment_parts.account, adjustment_parts.refund_id
),

duty_parts as (
    select
        account,
        refund_id,
        {{ elements("duties") }} as part
    from refunds
),

duties as (
    select
        duty_parts.account,
        duty_parts.refund_id,
        sum({{ shop_money("part.amountSet") }}) as amount
    from duty_parts
    group by duty_parts.account, duty_parts.refund_id
),

exchanged as (
    select
        account,
        return_id,
        sum(quantity) as units
    from exchange_items
    group by account, return_id
),

wholes as (
    select
        refunds.account,
        refunds.refund_id,
        refunds.order_id,
        refunds.return_id,
        refunds.refunded_at,
        refunds.refund_method,
        refunds.paid_amount,
        orders.currency,
        coalesce(counted_sums.goods, 0) as counted_goods,
        coalesce(item_sums.gross, 0) as goods_gross,
        coalesce(shipping.amount, 0)
        - case when orders.taxes_included then coalesce(shipping.tax, 0) else 0 end as shipping,
        coalesce(shipping.tax, 0) as shipping_tax,
        coalesce(adjustments.amount, 0) as adjustment,
        coalesce(adjustments.tax, 0) + coalesce(duties.amount, 0) as other_tax,
        coalesce(exchanged.units >= item_sums.units, false) as is_exchange
    from refunds
    inner join orders
        on refunds.account = orders.account and refunds.order_id = orders.order_id
    left join item_sums
        on refunds.account = item_sums.account and refunds.refund_id = item_sums.refund_id
    left join counted_sums
        on refunds.account = counted_sums.account and refunds.refund_id = counted_sums.refund_id
    left join shipping
        on refunds.account = shipping.account and refunds.refund_id = shipping.refund_id
    left join adjustments
        on refunds.account = adjustments.account and refunds.refund_id = adjustments.refund_id
    left join duties
        on refunds.account = duties.account and refunds.refund_id = duties.refund_id
    left join exchanged
        on refunds.account = exchanged.account and refunds.return_id = exchanged.return_id
    where not orders.is_test
),

-- lines that carry what belongs to the refund as a whole
carriers as (
    select
        wholes.account,
        wholes.refund_id,
        counted_items.line_id,
        counted_items.is_cancel,
        counted_items.goods as weight
    from wholes
    inner join counted_items
        on
            wholes.account = counted_items.account
            and wholes.refund_id = counted_items.refund_id
    where wholes.counted_goods > 0
    union all
    select
        wholes.account,
        wholes.refund_id,
        lines.line_id,
        false as is_cancel,
        lines.net_amount as weight
    from wholes
    inner join lines on wholes.account = lines.account and wholes.order_id = lines.order_id
    left join exchange_items
        on lines.account = exchange_items.account and lines.line_id = exchange_items.line_id
    where wholes.counted_goods <= 0 and exchange_items.line_id is null
),

parts as (
    {%- for part, amount in [
        ("shipping", "wholes.shipping"),
        ("shipping_tax", "wholes.shipping_tax"),
        ("other_tax", "wholes.other_tax"),
        ("adjustment", "wholes.paid_amount - wholes.goods_gross - wholes.shipping"
            ~ " - wholes.shipping_tax - wholes.other_tax"),
    ] %}
        select
            carriers.account,
            carriers.refund_id,
            carriers.line_id,
            carriers.is_cancel,
            carriers.weight,
            '{{ part }}' as part,
            {{ amount }} as amount,
            case when carriers.is_cancel then 1 else 0 end as cancel_order
        from carriers
        inner join wholes
            on carriers.account = wholes.account and carriers.refund_id = wholes.refund_id
        where wholes.paid_amount > 0
        {{ "union all" if not loop.last }}
    {%- endfor %}
),

spread_parts as (
    {{ spread("parts", ["account", "refund_id", "part"], "amount", "weight",
        ["length(line_id)", "line_id", "cancel_order"]) }}
),

rows_of_refunds as (
    select
        account,
        refund_id,
        line_id,
        is_cancel,
        part,
        share as amount,
        cast(null as bigint) as quantity,
        false as is_restocked
    from spread_parts
    where share <> 0
    union all
    select
        account,
        refund_id,
        line_id,
        is_cancel,
        'goods' as part,
        goods as amount,
        quantity,
        is_restocked
    from counted_items
    union all
    select
        account,
        refund_id,
        line_id,
        is_cancel,
        'goods_tax' as part,
        tax as amount,
        quantity,
        is_restocked
    from counted_items
),

summed as (
    select
        account,
        refund_id,
        line_id,
        is_cancel,
        bool_or(is_restocked) as is_restocked,
        max(quantity) as quantity,
        sum(case when part in ('goods', 'adjustment') then amount else 0 end) as goods,
        sum(case when part = 'shipping' then amount else 0 end) as shipping,
        sum(case when part in ('goods_tax', 'shipping_tax', 'other_tax') then amount else 0 end)
            as tax
    from rows_of_refunds
    group by account, refund_id, line_id, is_cancel
),

refund_lines as (
    select
        'shopify' as connector,
        summed.account,
        summed.refund_id,
        summed.line_id || case when summed.is_cancel then '-cancel' else '' end as line,
        wholes.order_id,
        summed.line_id,
        lines.sku,
        wholes.return_id,
        wholes.refunded_at,
        wholes.currency,
        {{ money("case
            when wholes.paid_amount > 0 then summed.goods + summed.shipping else 0
        end") }} as net_amount,
        {{ money("case when wholes.paid_amount > 0 then summed.tax else 0 end") }} as tax_amount,
        {{ money("case when wholes.paid_amount > 0 then summed.shipping else 0 end") }}
            as shipping_amount,
        case
            when summed.is_cancel then 'cancellation'
            when wholes.is_exchange then 'exchange_difference'
        end as native_kind,
        wholes.refund_method,
        case
            when summed.is_cancel or wholes.is_exchange or wholes.paid_amount <= 0 then 0
            else summed.quantity  -- not told where the refund names no line: the money tells it
        end as units,
        case when summed.is_restocked then false end as is_returnless,
        'marketplace' as amount_source,
        {{ money("case when wholes.paid_amount > 0 then summed.goods else 0 end") }}
            as goods_amount
    from summed
    inner join wholes on summed.account = wholes.account and summed.refund_id = wholes.refund_id
    inner join lines on summed.account = lines.account and summed.line_id = lines.line_id
)

select * from refund_lines
