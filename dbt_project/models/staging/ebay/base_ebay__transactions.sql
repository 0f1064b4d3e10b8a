-- One row per movement of money, with the order it names. `fee_rate` turns an amount of another
-- currency into that of the row.
with

source as (
    select * from {{ source('raw_ebay', 'transactions') }}
),

transactions as (
    select
        source._account as account,
        source._key as transaction_key,
        source.transactionId as transaction_id,
        source.transactionType as transaction_type,
        {{ iso_timestamp("transactionDate") }} as posted_at,
        coalesce(
            nullif(trim(source.payoutId), ''),
            nullif(trim(payoutDetails.payoutIds[1]), ''),
            'pending'
        ) as payout_id,
        case when source.bookingEntry = 'DEBIT' then -1 else 1 end as sign,
        {{ ebay_money("source.amount") }} as amount,
        source.amount.currency as moved_currency,
        coalesce(
            cast(source.amount.value as double)
            / nullif(cast(source.amount.convertedFromValue as double), 0),
            try_cast(source.amount.exchangeRate as double)
        ) as fee_rate,
        {{ ebay_money("source.totalFeeAmount") }} as fee_amount,
        source.totalFeeAmount.currency as fee_currency,
        source.feeType as fee_type,
        coalesce(source.transactionMemo, '') as memo,
        nullif(trim(source.orderId), '') as order_ref,
        source.orderLineItems as fee_lines,
        source.references as link_list
    from source
),

link_parts as (
    select
        account,
        transaction_key,
        {{ elements("link_list") }} as link
    from transactions
),

links as (
    select
        link_parts.account,
        link_parts.transaction_key,
        max(case when link.referenceType = 'ORDER_ID' then link.referenceId end) as order_ref,
        bool_or(coalesce(link.referenceType in ('CASE_ID', 'RETURN_ID'), false)) as has_case
    from link_parts
    group by link_parts.account, link_parts.transaction_key
),

final as (
    select
        transactions.account,
        transactions.transaction_key,
        transactions.transaction_id,
        transactions.transaction_type,
        transactions.posted_at,
        transactions.payout_id,
        transactions.sign,
        transactions.amount,
        transactions.moved_currency as currency,
        transactions.fee_rate,
        transactions.fee_amount,
        transactions.fee_currency,
        transactions.fee_type,
        transactions.memo,
        coalesce(transactions.order_ref, links.order_ref) as order_id,
        coalesce(links.has_case, false) as has_case,
        transactions.fee_lines
    from transactions
    left join links
        on
            transactions.account = links.account
            and transactions.transaction_key = links.transaction_key
    where transactions.amount is not null
)

select * from final
