-- One row per part of a settlement row that is a fee of a sale or belongs to its after-sale, in the
-- marketplace's sign. What is told of an order as a whole is spread over its lines by their net
-- value; what hangs on no known line has order_line_key unknown.
with

settlement_lines as (
    select
        *,
        {{ settlement_kind() }} as settlement_kind
    from {{ ref('fct_settlement_line') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

fx_rates as (
    select * from {{ ref('int_fx_rate__daily') }}
),

told as (
    select *
    from settlement_lines
    where settlement_kind is not null and amount <> 0
),

of_orders as (
    select
        told.account,
        told.settlement_id,
        told.row_no,
        told.marketplace,
        told.posted_at,
        told.posted_date,
        told.settlement_kind,
        told.currency,
        told.amount,
        order_lines.order_key,
        order_lines.order_line_key,
        order_lines.sku,
        order_lines.net_amount
    from told
    inner join order_lines on told.order_key = order_lines.order_key
    where told.order_line_key = 'unknown' and told.sku = 'unknown'
    -- the shipped lines of the order; all of them where none was shipped
    qualify
        order_lines.quantity_shipped > 0
        or max(order_lines.quantity_shipped) over (
            partition by told.account, told.settlement_id, told.row_no
        ) = 0
),

spread_lines as (
    {{ spread("of_orders", ["account", "settlement_id", "row_no"], "amount", "net_amount",
        ["order_line_key"]) }}
),

whole as (
    select
        account,
        settlement_id,
        row_no,
        marketplace,
        posted_at,
        posted_date,
        settlement_kind,
        currency,
        amount,
        amount_reporting,
        case when order_line_key in ('none', 'unknown') then 'unknown' else order_key end
            as order_key,
        case when order_line_key = 'none' then 'unknown' else order_line_key end as order_line_key,
        sku
    from told
    where
        not exists (
            select 1
            from spread_lines
            where
                spread_lines.account = told.account
                and spread_lines.settlement_id = told.settlement_id
                and spread_lines.row_no = told.row_no
        )
),

final as (
    select
        account,
        settlement_id,
        row_no,
        marketplace,
        posted_at,
        posted_date,
        settlement_kind,
        currency,
        amount,
        amount_reporting,
        order_key,
        order_line_key,
        sku
    from whole

    union all

    select
        spread_lines.account,
        spread_lines.settlement_id,
        spread_lines.row_no,
        spread_lines.marketplace,
        spread_lines.posted_at,
        spread_lines.posted_date,
        spread_lines.settlement_kind,
        spread_lines.currency,
        spread_lines.share as amount,
        {{ money("spread_lines.share * fx_rates.rate_to_reporting") }} as amount_reporting,
        spread_lines.order_key,
        spread_lines.order_line_key,
        spread_lines.sku
    from spread_lines
    left join fx_rates
        on
            spread_lines.posted_date = fx_rates.rate_date
            and spread_lines.currency = fx_rates.currency
    where spread_lines.share <> 0
)

select * from final
