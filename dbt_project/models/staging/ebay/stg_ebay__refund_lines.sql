-- One row per refund and line that was paid, with what it was for: the return, the cancellation or
-- the parcel that did not arrive whose number it names.
with

refunds as (
    select * from {{ ref('base_ebay__refunds') }}
),

lines as (
    select * from {{ ref('stg_ebay__order_lines') }}
),

line_taxes as (
    select
        account,
        line_id,
        prices_include_tax
    from {{ ref('base_ebay__lines') }}
),

returns as (
    select
        _account as account,
        returnId as return_id
    from {{ source('raw_ebay', 'returns') }}
),

cancellations as (
    select
        _account as account,
        cancelId as cancel_id
    from {{ source('raw_ebay', 'cancellations') }}
),

not_received as (
    select
        _account as account,
        inquiryId as case_id
    from {{ source('raw_ebay', 'inquiries') }}
    union
    select
        _account as account,
        caseId as case_id
    from {{ source('raw_ebay', 'cases') }}
    where caseType = 'ITEM_NOT_RECEIVED'
),

split as (
    select
        refunds.*,
        lines.sku,
        lines.net_amount,
        lines.order_status,
        lines.quantity_shipped,
        case
            when
                line_taxes.prices_include_tax
                and refunds.amount_source = 'marketplace'
                and lines.net_amount + lines.tax_amount > 0
                then round(
                    cast(refunds.amount as double) * cast(lines.tax_amount as double)
                    / cast(lines.net_amount + lines.tax_amount as double),
                    2
                )
            else 0
        end as tax
    from refunds
    inner join lines on refunds.account = lines.account and refunds.line_id = lines.line_id
    left join line_taxes
        on refunds.account = line_taxes.account and refunds.line_id = line_taxes.line_id
),

running as (
    select
        *,
        sum(amount - tax) over (
            partition by account, line_id
            order by refunded_at, refund_id
            rows between unbounded preceding and current row
        ) as net_so_far
    from split
),

-- what passes the price of the goods is their shipping
shared as (
    select
        *,
        least(
            greatest(net_so_far - coalesce(net_amount, net_so_far), 0), greatest(amount - tax, 0)
        ) as shipping
    from running
),

refund_lines as (
    select
        'ebay' as connector,
        shared.account,
        shared.refund_id,
        shared.line_id as line,
        shared.order_id,
        shared.line_id,
        shared.sku,
        returns.return_id,
        shared.refunded_at,
        coalesce(shared.refund_currency, 'unknown') as currency,
        {{ money("shared.amount - shared.tax") }} as net_amount,
        {{ money("shared.tax") }} as tax_amount,
        {{ money("shared.shipping") }} as shipping_amount,
        case
            when cancellations.cancel_id is not null then 'cancellation'
            when shared.order_status = 'cancelled' and shared.quantity_shipped = 0
                then 'cancellation'
            when not_received.case_id is not null then 'inr'
        end as native_kind,
        'original_payment' as refund_method,
        cast(null as bigint) as units,
        cast(null as boolean) as is_returnless,
        shared.amount_source,
        {{ money("shared.amount - shared.tax - shared.shipping") }} as goods_amount
    from shared
    left join returns
        on shared.account = returns.account and shared.reference_id = returns.return_id
    left join cancellations
        on
            shared.account = cancellations.account
            and shared.reference_id = cancellations.cancel_id
    left join not_received
        on
            shared.account = not_received.account
            and shared.reference_id = not_received.case_id
)

select * from refund_lines
