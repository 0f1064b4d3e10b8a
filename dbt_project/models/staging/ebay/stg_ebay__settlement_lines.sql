-- One row per part of a movement of money: its gross amount, and each fee that eBay kept or gave
-- back of it. The rows of a movement add up to what moved.
with

transactions as (
    select * from {{ ref('base_ebay__transactions') }}
),

lines as (
    select
        account,
        order_id,
        line_id,
        sku,
        marketplace
    from {{ ref('base_ebay__lines') }}
),

orders as (
    select
        account,
        order_id,
        min(marketplace) as marketplace
    from lines
    group by account, order_id
),

with_fees as (
    select * from transactions
    where transaction_type in ('SALE', 'REFUND')
),

fee_lines as (
    select
        account,
        transaction_key,
        currency,
        fee_rate,
        {{ elements("fee_lines") }} as fee_line
    from with_fees
),

fee_parts as (
    select
        fee_lines.account,
        fee_lines.transaction_key,
        fee_lines.currency,
        fee_lines.fee_rate,
        fee_line.lineItemId as line_id,
        {{ elements("fee_line.marketplaceFees") }} as fee
    from fee_lines
),

line_fees as (
    select
        fee_parts.account,
        fee_parts.transaction_key,
        fee_parts.line_id,
        fee.feeType as fee_type,
        {{ ebay_converted("fee.amount.value", "fee.amount.currency", "fee_parts.currency",
            "fee_parts.fee_rate") }} as amount
    from fee_parts
),

fee_sums as (
    select
        account,
        transaction_key,
        line_id,
        coalesce(fee_type, 'OTHER_FEES') as fee_type,
        sum(amount) as amount,
        count(*) > count(amount) as is_unclear
    from line_fees
    group by account, transaction_key, line_id, coalesce(fee_type, 'OTHER_FEES')
),

of_lines as (
    select
        account,
        transaction_key,
        sum(amount) as amount,
        bool_or(is_unclear) as is_unclear
    from fee_sums
    group by account, transaction_key
),

totals as (
    select
        with_fees.account,
        with_fees.transaction_key,
        coalesce(of_lines.is_unclear, false) as is_unclear,
        {{ ebay_converted("with_fees.fee_amount", "with_fees.fee_currency", "with_fees.currency",
            "with_fees.fee_rate") }} - coalesce(of_lines.amount, 0) as other_amount
    from with_fees
    left join of_lines
        on
            with_fees.account = of_lines.account
            and with_fees.transaction_key = of_lines.transaction_key
),

fees as (
    select
        fee_sums.account,
        fee_sums.transaction_key,
        fee_sums.line_id,
        fee_sums.fee_type,
        fee_sums.amount
    from fee_sums
    inner join totals
        on
            fee_sums.account = totals.account
            and fee_sums.transaction_key = totals.transaction_key
    where not totals.is_unclear
    union all
    select
        account,
        transaction_key,
        cast(null as varchar) as line_id,
        'OTHER_FEES' as fee_type,
        other_amount as amount
    from totals
    where not is_unclear and other_amount <> 0
),

signed_fees as (
    select
        fees.account,
        fees.transaction_key,
        fees.line_id,
        fees.fee_type,
        case when transactions.transaction_type = 'REFUND' then 1 else -1 end * fees.amount
            as amount
    from fees
    inner join transactions
        on
            fees.account = transactions.account
            and fees.transaction_key = transactions.transaction_key
    where fees.amount <> 0
),

fees_of_transactions as (
    select
        account,
        transaction_key,
        sum(amount) as amount
    from signed_fees
    group by account, transaction_key
),

parts as (
    select
        transactions.account,
        transactions.transaction_key,
        0 as part_order,
        cast(null as varchar) as line_id,
        'amount' as amount_type,
        case
            when transactions.transaction_type = 'SHIPPING_LABEL'
                then
                    case
                        when transactions.has_case or lower(transactions.memo) like '%return%'
                            then 'RETURN_SHIPPING_LABEL'
                        else 'SHIPPING_LABEL'
                    end
            else coalesce(transactions.fee_type, transactions.transaction_type)
        end as amount_description,
        transactions.sign * transactions.amount - coalesce(fees_of_transactions.amount, 0)
            as amount
    from transactions
    left join fees_of_transactions
        on
            transactions.account = fees_of_transactions.account
            and transactions.transaction_key = fees_of_transactions.transaction_key
    union all
    select
        account,
        transaction_key,
        1 as part_order,
        line_id,
        'fee' as amount_type,
        fee_type as amount_description,
        amount
    from signed_fees
),

joined as (
    select
        transactions.account,
        transactions.payout_id,
        transactions.transaction_id,
        transactions.transaction_type,
        transactions.posted_at,
        transactions.sign,
        transactions.currency,
        transactions.order_id,
        transactions.memo,
        transactions.has_case,
        parts.part_order,
        parts.line_id,
        parts.amount_type,
        parts.amount_description,
        parts.amount,
        lines.sku,
        orders.marketplace
    from parts
    inner join transactions
        on
            parts.account = transactions.account
            and parts.transaction_key = transactions.transaction_key
    left join lines on parts.account = lines.account and parts.line_id = lines.line_id
    left join orders
        on
            transactions.account = orders.account
            and transactions.order_id = orders.order_id
),

settlement_lines as (
    select
        'ebay' as connector,
        account,
        payout_id as settlement_id,
        cast(row_number() over (
            partition by account, payout_id
            order by
                posted_at, transaction_id, transaction_type, part_order,
                coalesce(line_id, ''), amount_description
        ) as bigint) as row_no,
        marketplace,
        posted_at,
        transaction_type,
        amount_type,
        amount_description,
        {{ money("amount") }} as amount,
        currency,
        order_id,
        sku,
        case
            when amount_type = 'fee' and transaction_type = 'REFUND' then 'fee_credit'
            when amount_type = 'fee' then 'fee'
            when transaction_type = 'SALE' then 'sale'
            when transaction_type = 'REFUND' then 'refund'
            when transaction_type = 'DISPUTE' then 'reserve'
            when
                transaction_type = 'CREDIT'
                and upper(transaction_id || memo || amount_description) like '%HOLD%'
                then 'reserve'
            when transaction_type = 'CREDIT' and (order_id is not null or has_case)
                then 'reimbursement'
            when transaction_type in ('CREDIT', 'ADJUSTMENT') then 'other'
            when transaction_type in ('TRANSFER', 'WITHDRAWAL', 'PAYOUT') then 'transfer'
            when
                transaction_type = 'NON_SALE_CHARGE'
                and (amount_description like '%AD_FEE%' or amount_description like '%PROMOTED%')
                then 'advertising'
            when transaction_type in ('NON_SALE_CHARGE', 'SHIPPING_LABEL') and sign > 0
                then 'fee_credit'
            when transaction_type in ('NON_SALE_CHARGE', 'SHIPPING_LABEL') then 'fee'
            else 'unknown'
        end as line_class
    from joined
)

select * from settlement_lines
