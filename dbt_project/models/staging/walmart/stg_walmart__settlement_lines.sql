-- One row per row of a payment report that books an amount.
with

recon as (
    select
        *,
        lower(transaction_type) as transaction_word,
        lower(amount_type || ' ' || amount_description) as words
    from {{ ref('base_walmart__recon') }}
    where not is_summary and amount is not null
),

stores as (
    select * from {{ source('settings', 'account_marketplace') }}
    where connector = 'walmart'
),

settlement_lines as (
    select
        'walmart' as connector,
        recon.account,
        recon.settlement_id,
        recon.row_no,
        stores.marketplace,
        recon.posted_at,
        recon.transaction_type,
        recon.amount_type,
        recon.amount_description,
        {{ money("recon.amount") }} as amount,
        recon.currency,
        recon.order_id,
        recon.sku,
        case
            when lower(recon.amount_type) like '%tax%' then 'tax'
            when
                recon.words like '%reimburse%'
                or recon.words like '%lost%'
                or recon.words like '%damaged%' then 'reimbursement'
            when recon.words like '%advertis%' or recon.words like '%sponsored%' then 'advertising'
            when recon.words like '%reserve%' or recon.words like '%hold%' then 'reserve'
            when
                (
                    recon.words like '%commission%'
                    or recon.words like '%fee%'
                    or recon.words like '%charge%'
                    or recon.words like '%storage%'
                )
                and recon.amount > 0 then 'fee_credit'
            when
                recon.words like '%commission%'
                or recon.words like '%fee%'
                or recon.words like '%charge%'
                or recon.words like '%storage%' then 'fee'
            when recon.transaction_word like '%refund%' then 'refund'
            when recon.transaction_word = 'sale' and recon.words like '%shipping%' then 'shipping'
            when recon.transaction_word = 'sale' then 'sale'
            when recon.words like '%deposit%' or recon.words like '%transfer%' then 'transfer'
            when recon.transaction_word = 'adjustment' then 'other'
            else 'unknown'
        end as line_class
    from recon
    left join stores on recon.account = stores.account
)

select * from settlement_lines
