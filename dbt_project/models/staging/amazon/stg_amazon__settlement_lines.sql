with

settlement_rows as (
    select * from {{ ref('base_amazon__settlements') }}
),

channels as (
    select
        lower(sales_channel) as sales_channel,
        min(marketplace) as marketplace
    from {{ ref('stg_amazon__marketplaces') }}
    where sales_channel is not null
    group by lower(sales_channel)
),

settlement_lines as (
    select
        'amazon' as connector,
        settlement_rows.account,
        settlement_rows.settlement_id,
        settlement_rows.row_no,
        channels.marketplace,
        settlement_rows.posted_at,
        settlement_rows.transaction_type,
        settlement_rows.amount_type,
        settlement_rows.amount_description,
        settlement_rows.amount,
        settlement_rows.currency,
        settlement_rows.order_id,
        settlement_rows.sku,
        case
            when
                lower(settlement_rows.transaction_type) like '%refund%'
                and settlement_rows.amount_type in ('ItemPrice', 'Promotion')
                and settlement_rows.amount_description not like '%Tax%' then 'refund'
            when
                settlement_rows.amount_type = 'ItemWithheldTax'
                or settlement_rows.amount_description like '%Tax%' then 'tax'
            when
                lower(settlement_rows.transaction_type) = 'order'
                and settlement_rows.amount_type in ('ItemPrice', 'Promotion')
                and settlement_rows.amount_description like '%Shipping%' then 'shipping'
            when
                lower(settlement_rows.transaction_type) = 'order'
                and settlement_rows.amount_type in ('ItemPrice', 'Promotion') then 'sale'
            when settlement_rows.amount_type like 'ItemFees%' and settlement_rows.amount > 0
                then 'fee_credit'
            when settlement_rows.amount_type like 'ItemFees%' then 'fee'
            when settlement_rows.amount_type = 'FBA Inventory Reimbursement' then 'reimbursement'
            when
                settlement_rows.amount_type = 'Cost of Advertising'
                or settlement_rows.amount_description like '%dvertis%' then 'advertising'
            when settlement_rows.amount_description like '%Reserve%' then 'reserve'
            when settlement_rows.transaction_type = 'Transfer' then 'transfer'
            when
                settlement_rows.amount_description like '%Fee%'
                or settlement_rows.transaction_type like '%Fee%' then 'fee'
            when
                settlement_rows.amount_description like '%Postage%'
                or settlement_rows.amount_description like '%POSTAGE%' then 'fee'
            when settlement_rows.transaction_type = 'other-transaction' then 'other'
            else 'unknown'
        end as line_class
    from settlement_rows
    left join channels on lower(settlement_rows.marketplace_name) = channels.sales_channel
)

select * from settlement_lines
