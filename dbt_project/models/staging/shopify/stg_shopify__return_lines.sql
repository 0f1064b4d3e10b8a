-- One row per line of a return. Goods are here once somebody has judged them, else once a refund
-- put them back into stock, else once the return was closed with its goods processed.
with

return_items as (
    select * from {{ ref('base_shopify__return_items') }}
),

lines as (
    select * from {{ ref('base_shopify__lines') }}
),

orders as (
    select * from {{ ref('base_shopify__orders') }}
),

dispositions as (
    select * from {{ ref('base_shopify__dispositions') }}
),

exchanges as (
    select
        account,
        return_id,
        count(*) as exchange_lines
    from {{ ref('base_shopify__exchange_items') }}
    group by account, return_id
),

judged as (
    select
        account,
        return_id,
        fulfilment_line_id,
        min(case when disposition_type <> 'MISSING' then disposed_at end) as received_at,
        min(case when disposition_type in ('RESTOCKED', 'NOT_RESTOCKED') then disposed_at end)
            as graded_at
    from dispositions
    group by account, return_id, fulfilment_line_id
),

kinds as (
    select
        account,
        return_id,
        fulfilment_line_id,
        disposition_type,
        sum(quantity) as units,
        max(disposed_at) as last_at
    from dispositions
    group by account, return_id, fulfilment_line_id, disposition_type
),

main_kinds as (
    select *
    from kinds
    qualify
        row_number() over (
            partition by account, return_id, fulfilment_line_id
            order by units desc, last_at desc, disposition_type asc
        ) = 1
),

restocked as (
    select
        account,
        return_id,
        line_id,
        min(refunded_at) as restocked_at
    from {{ ref('base_shopify__refund_items') }}
    where is_restocked and return_id is not null
    group by account, return_id, line_id
),

paid_back as (
    select
        account,
        return_id,
        line_id,
        sum(net_amount) as amount
    from {{ ref('stg_shopify__refund_lines') }}
    where return_id is not null
    group by account, return_id, line_id
),

joined as (
    select
        return_items.*,
        lines.sku,
        coalesce(lines.is_counted, true) as is_counted,
        coalesce(exchanges.exchange_lines, 0) > 0 as is_exchange,
        return_items.refunded_quantity > 0 or coalesce(paid_back.amount, 0) > 0 as is_paid_back,
        case
            when judged.return_id is not null then judged.received_at
            when restocked.restocked_at is not null then restocked.restocked_at
            when return_items.native_status = 'CLOSED' and return_items.processed_quantity > 0
                then return_items.closed_at
        end as received_at,
        judged.graded_at,
        main_kinds.disposition_type
    from return_items
    inner join orders
        on
            return_items.account = orders.account
            and return_items.order_id = orders.order_id
    left join lines
        on return_items.account = lines.account and return_items.line_id = lines.line_id
    left join exchanges
        on
            return_items.account = exchanges.account
            and return_items.return_id = exchanges.return_id
    left join judged
        on
            return_items.account = judged.account
            and return_items.return_id = judged.return_id
            and coalesce(return_items.fulfilment_line_id, 'none') = judged.fulfilment_line_id
    left join main_kinds
        on
            return_items.account = main_kinds.account
            and return_items.return_id = main_kinds.return_id
            and coalesce(return_items.fulfilment_line_id, 'none') = main_kinds.fulfilment_line_id
    left join restocked
        on
            return_items.account = restocked.account
            and return_items.return_id = restocked.return_id
            and return_items.line_id = restocked.line_id
    left join paid_back
        on
            return_items.account = paid_back.account
            and return_items.return_id = paid_back.return_id
            and return_items.line_id = paid_back.line_id
    where not orders.is_test
),

return_lines as (
    select
        'shopify' as connector,
        account,
        return_id,
        line,
        order_id,
        line_id,
        sku,
        quantity,
        requested_at,
        received_at,
        graded_at,
        case
            when received_at is not null then 'received'
            when native_status = 'OPEN' then 'authorised'
            when native_status = 'CLOSED' then 'closed'
            when native_status = 'DECLINED' then 'denied'
            when native_status = 'CANCELED' then 'cancelled'
            else 'requested'
        end as native_status,
        case
            when
                native_status = 'CLOSED'
                and received_at is not null
                and not is_paid_back
                and not is_exchange then 'none'
        end as native_resolution,
        reason_raw,
        case disposition_type
            when 'RESTOCKED' then 'sellable'
            when 'MISSING' then 'missing'
            else 'unknown'
        end as disposition,
        md5(comment) as comment_hash,
        received_at is null
        and (
            native_status in ('CANCELED', 'DECLINED')
            or (
                native_status = 'CLOSED'
                and processed_quantity = 0
                and not is_paid_back
                and not is_exchange
            )
        ) as is_closed_without_goods
    from joined
    where is_counted
)

select * from return_lines
