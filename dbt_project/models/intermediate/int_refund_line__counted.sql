-- One row per refund of a line, linked to the ordered line, with the units it pays back in full:
-- what the source says, else the steps of the money paid back so far over the price of one unit.
with

conformed as (
    select * from {{ ref('int_refund_line__unioned') }}
),

refs as (
    select * from {{ ref('int_order_ref__matched') }}
),

chargebacks as (
    select
        connector,
        account,
        order_id,
        line_id,
        min(opened_at) as opened_at
    from {{ ref('int_refund_line__charged_back') }}
    group by connector, account, order_id, line_id
),

referenced as (
    select
        conformed.*,
        case
            when conformed.conformed_by = 'files' then refs.order_id
            else conformed.order_id
        end as known_order_id,
        coalesce(conformed.conformed_by = 'files' and refs.matches > 1, false) as is_ambiguous
    from conformed
    left join refs
        on
            conformed.connector = refs.connector
            and conformed.account = refs.account
            and conformed.order_id = refs.order_ref
),

-- only of orders that are asked for: a small part of all
order_lines as (
    select lines.*
    from {{ ref('int_order_line__enriched') }} as lines
    where exists (
        select 1
        from referenced
        where
            lines.connector = referenced.connector
            and lines.account = referenced.account
            and lines.order_id = referenced.known_order_id
    )
),

candidates as (
    select
        referenced.refund_line_key,
        order_lines.order_line_key,
        case
            when referenced.line_id = order_lines.line_id then 1
            when referenced.sku = order_lines.source_sku then 2
            when referenced.sku = order_lines.sku then 3
        end as preference
    from referenced
    inner join order_lines
        on
            referenced.connector = order_lines.connector
            and referenced.account = order_lines.account
            and referenced.known_order_id = order_lines.order_id
    where
        referenced.line_id = order_lines.line_id
        or referenced.sku = order_lines.source_sku
        or referenced.sku = order_lines.sku
),

chosen as (
    select *
    from candidates
    qualify row_number() over (
        partition by refund_line_key order by preference, order_line_key
    ) = 1
),

orders as (
    select
        connector,
        account,
        order_id,
        order_key,
        marketplace,
        country,
        time_zone
    from order_lines
    qualify row_number() over (
        partition by connector, account, order_id order by order_line_key
    ) = 1
),

linked as (
    select
        referenced.*,
        coalesce(chosen.order_line_key, 'unknown') as order_line_key,
        coalesce(orders.order_key, 'unknown') as order_key,
        coalesce(orders.marketplace, 'unknown') as marketplace,
        coalesce(orders.country, 'ZZ') as country,
        coalesce(orders.time_zone, 'UTC') as time_zone,
        order_lines.sku as own_sku,
        order_lines.quantity_ordered,
        order_lines.quantity_cancelled,
        order_lines.quantity_shipped,
        order_lines.net_amount as line_net_amount,
        -- the same money, once taken by the bank and once given by the seller
        coalesce(
            coalesce(referenced.native_kind, 'unknown') not in ('chargeback', 'cancellation')
            and referenced.refunded_at >= chargebacks.opened_at,
            false
        ) as is_duplicate_of_chargeback
    from referenced
    left join chosen on referenced.refund_line_key = chosen.refund_line_key
    left join order_lines on chosen.order_line_key = order_lines.order_line_key
    left join orders
        on
            referenced.connector = orders.connector
            and referenced.account = orders.account
            and referenced.known_order_id = orders.order_id
    left join chargebacks
        on
            order_lines.connector = chargebacks.connector
            and order_lines.account = chargebacks.account
            and order_lines.order_id = chargebacks.order_id
            and order_lines.line_id = chargebacks.line_id
    where not referenced.is_ambiguous
),

told_units as (
    select
        *,
        case when is_duplicate_of_chargeback then 0 else units end as counted_units
    from linked
),

running as (
    select
        *,
        sum(case when counted_units is null then goods_amount else 0 end) over (
            partition by order_line_key
            order by refunded_at, refund_line_key
            rows between unbounded preceding and current row
        ) as goods_so_far,
        sum(coalesce(counted_units, 0)) over (
            partition by order_line_key
            order by refunded_at, refund_line_key
            rows between unbounded preceding and current row
        ) as given_units_so_far
    from told_units
),

stepped as (
    select
        *,
        case
            when order_line_key = 'unknown' then null
            else least(
                quantity_shipped,
                given_units_so_far
                + case
                    when line_net_amount > 0 and quantity_ordered > 0
                        -- a hundredth of a unit for the cents that rounding took
                        then greatest(
                            cast(
                                floor(
                                    cast(goods_so_far as double) * quantity_ordered
                                    / cast(line_net_amount as double) + 0.01
                                ) as bigint
                            ),
                            0
                        )
                    else 0
                end
            )
        end as units_so_far
    from running
),

final as (
    select
        refund_line_key,
        order_line_key,
        order_key,
        refund_id,
        line,
        connector,
        account,
        marketplace,
        country,
        coalesce(own_sku, sku, line_id, 'unknown') as sku,
        return_id,
        refunded_at,
        {{ local_date("refunded_at", "time_zone") }} as refunded_date,
        native_kind,
        refund_method,
        is_returnless,
        coalesce(quantity_cancelled = quantity_ordered and quantity_ordered > 0, false)
            as is_line_cancelled,
        -- never back: a correction that takes money again takes no unit away from an earlier row
        cast(coalesce(
            case
                when order_line_key = 'unknown' then counted_units
                else greatest(
                    max(units_so_far)
                        over (
                            partition by order_line_key
                            order by refunded_at, refund_line_key
                            rows between unbounded preceding and current row
                        )
                    - coalesce(max(units_so_far) over (
                        partition by order_line_key
                        order by refunded_at, refund_line_key
                        rows between unbounded preceding and 1 preceding
                    ), 0),
                    0
                )
            end,
            0
        ) as bigint) as units_refunded,
        currency,
        net_amount,
        tax_amount,
        shipping_amount,
        goods_amount,
        amount_source,
        is_duplicate_of_chargeback
    from stepped
)

select * from final
