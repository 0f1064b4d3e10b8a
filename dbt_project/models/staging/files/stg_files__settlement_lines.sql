-- One row per line of a payout of the seller's files; what it is follows from the channel's words.
with

told as (
    select
        {{ file_channel_columns() }},
        *,
        lower(concat_ws(' ', transaction_type, amount_type, amount_description)) as words
    from {{ source('raw_files', 'settlements') }}
),

settlement_lines as (
    select
        connector,
        account,
        settlement_ref as settlement_id,
        cast(row_no as bigint) as row_no,
        marketplace,
        posted_at,
        transaction_type,
        coalesce(amount_type, 'none') as amount_type,
        coalesce(amount_description, 'none') as amount_description,
        {{ money("amount") }} as amount,
        currency,
        order_ref as order_id,
        sku,
        case
            when regexp_matches(words, '\b(tax|vat|gst|iva|mwst)\b') then 'tax'
            when regexp_matches(words, 'advert|promoted|\bads?\b|sponsor') then 'advertising'
            when regexp_matches(words, 'fee|commission|charge') and amount > 0 then 'fee_credit'
            when regexp_matches(words, 'fee|commission|charge') then 'fee'
            when regexp_matches(words, 'refund|return') then 'refund'
            when regexp_matches(words, 'reimburs|compensat') then 'reimbursement'
            when regexp_matches(words, 'reserve|withh[eo]ld|on hold') then 'reserve'
            when regexp_matches(words, 'transfer|payout|withdraw|deposit') then 'transfer'
            when regexp_matches(words, 'shipping|postage|freight|delivery') then 'shipping'
            when regexp_matches(words, 'order|sale|item|product|principal') then 'sale'
            when regexp_matches(words, 'adjust|other') then 'other'
            else 'unknown'
        end as line_class
    from told
)

select * from settlement_lines
