-- One row per adjustment (or posting) of an order and SKU. Settlements say what was paid back;
-- which part is goods, shipping and tax stands in the type and description of each amount. Until a
-- settlement tells of a refund, Finances does, by the paths of its amounts.
with

transactions as (
    select * from {{ ref('base_amazon__transactions') }}
),

transaction_amounts as (
    select * from {{ ref('base_amazon__transaction_amounts') }}
),

settlement_rows as (
    select * from {{ ref('base_amazon__settlements') }}
    where
        lower(transaction_type) like '%refund%'
        and amount_type in ('ItemPrice', 'Promotion')
        and order_id is not null
),

settled as (
    select
        account,
        order_id,
        coalesce(sku, 'unknown') as sku,
        coalesce(
            adjustment_id,
            settlement_id || '-' || order_id || '-'
            || coalesce({{ compact_time("posted_at") }}, '')
        ) as refund_id,
        'settlement' as amount_source,
        transaction_type,
        currency,
        posted_at,
        -amount as paid_back,
        amount_description like '%Tax%' as is_tax,
        amount_description like '%Shipping%' and amount_description <> 'ReturnShipping'
            as is_shipping,
        amount_description = 'Principal' as is_goods
    from settlement_rows
),

settled_days as (
    select distinct
        account,
        order_id,
        sku,
        cast(posted_at as date) as posted_date
    from settled
),

worded as (
    select
        transactions.account,
        transactions.order_id,
        transaction_amounts.sku,
        transactions.transaction_id,
        transactions.transaction_type,
        transaction_amounts.currency,
        transactions.posted_at,
        transaction_amounts.amount,
        lower(transaction_amounts.amount_path) as amount_path
    from transactions
    inner join transaction_amounts
        on
            transactions.account = transaction_amounts.account
            and transactions.transaction_id = transaction_amounts.transaction_id
    where
        transactions.order_id is not null
        and (
            lower(transactions.transaction_type) like '%refund%'
            or lower(transactions.transaction_type) in ('guaranteeclaim', 'chargeback')
        )
),

early as (
    select
        worded.account,
        worded.order_id,
        worded.sku,
        worded.transaction_id as refund_id,
        'marketplace' as amount_source,
        worded.transaction_type,
        worded.currency,
        worded.posted_at,
        -worded.amount as paid_back,
        worded.amount_path like '%tax%' as is_tax,
        worded.amount_path like '%shipping%' and worded.amount_path not like '%returnshipping%'
            as is_shipping,
        not regexp_matches(
            worded.amount_path, 'tax|shipping|giftwrap|goodwill|restocking'
        ) as is_goods
    from worded
    left join settled_days
        on
            worded.account = settled_days.account
            and worded.order_id = settled_days.order_id
            and worded.sku = settled_days.sku
            and cast(worded.posted_at as date) = settled_days.posted_date
    where
        settled_days.order_id is null
        and not regexp_matches(worded.amount_path, 'withheld|facilitator|commission')
        and (worded.amount_path not like '%fee%' or worded.amount_path like '%restocking%')
),

parts as (
    select * from settled
    union all
    select * from early
),

refund_lines as (
    select
        'amazon' as connector,
        account,
        refund_id,
        sku as line,
        order_id,
        sku as line_id,
        sku,
        cast(null as varchar) as return_id,
        min(posted_at) as refunded_at,
        max(currency) as currency,
        {{ money("coalesce(sum(paid_back) filter (where not is_tax), 0)") }} as net_amount,
        {{ money("coalesce(sum(paid_back) filter (where is_tax), 0)") }} as tax_amount,
        {{ money("coalesce(sum(paid_back) filter (where is_shipping and not is_tax), 0)") }}
            as shipping_amount,
        case
            when
                lower(min(transaction_type)) like '%guarantee%'
                or lower(min(transaction_type)) like '%a-to-z%' then 'guarantee_claim'
            when lower(min(transaction_type)) like '%chargeback%' then 'chargeback'
        end as native_kind,
        'original_payment' as refund_method,
        cast(null as bigint) as units,
        cast(null as boolean) as is_returnless,
        amount_source,
        {{ money("coalesce(sum(paid_back) filter (where is_goods), 0)") }} as goods_amount
    from parts
    group by account, refund_id, order_id, sku, amount_source
)

select * from refund_lines
