-- Money of refunds is the same in the facts as their sources told it, by account and currency.
with

told as (
    select
        account,
        currency,
        sum(net_amount) as net_amount
    from {{ ref('int_refund_line__unioned') }} as refunds
    where
        -- rows that could be of two orders wait in quarantine
        not exists (
            select 1
            from {{ ref('int_order_ref__matched') }} as refs
            where
                refunds.conformed_by = 'files'
                and refs.connector = refunds.connector
                and refs.account = refunds.account
                and refs.order_ref = refunds.order_id
                and refs.matches > 1
        )
    group by account, currency
),

kept as (
    select
        account,
        currency,
        sum(net_amount) as net_amount
    from {{ ref('fct_refund_line') }}
    group by account, currency
)

select
    told.account,
    told.currency,
    told.net_amount as told_amount,
    kept.net_amount as kept_amount
from told
full outer join kept on told.account = kept.account and told.currency = kept.currency
where told.net_amount is distinct from kept.net_amount
