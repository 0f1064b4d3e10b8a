-- One row per refund with the money that really went back, in the shop's currency.
with

source as (
    select * from {{ source('raw_shopify', 'refunds') }}
),

refunds as (
    select
        _account as account,
        {{ gid_number("id") }} as refund_id,
        {{ gid_number("orderId") }} as order_id,
        {{ gid_number("returnId") }} as return_id,
        {{ iso_timestamp("coalesce(processedAt, createdAt, updatedAt)") }} as refunded_at,
        refundLineItems as refund_items,
        orderAdjustments as adjustments,
        refundShippingLines as shipping_lines,
        duties,
        transactions
    from source
),

payments as (
    select
        account,
        refund_id,
        {{ elements("transactions") }} as payment
    from refunds
),

paid as (
    select
        payment.account,
        payment.refund_id,
        bool_or(payment.status = 'SUCCESS') as is_paid,
        sum(
            case
                when payment.status = 'SUCCESS' then {{ shop_money("payment.amountSet") }} else 0
            end
        ) as amount,
        max(payment.currency) as currency,
        max(payment.gateway) as gateway
    from (
        select
            payments.account,
            payments.refund_id,
            payment.status,
            payment.amountSet,
            payment.amountSet.shopMoney.currencyCode as currency,
            lower(payment.gateway) as gateway
        from payments
        where payment.kind = 'REFUND' and not coalesce(payment.test, false)
    ) as payment
    group by payment.account, payment.refund_id
),

final as (
    select
        refunds.account,
        refunds.refund_id,
        refunds.order_id,
        refunds.return_id,
        refunds.refunded_at,
        refunds.refund_items,
        refunds.adjustments,
        refunds.shipping_lines,
        refunds.duties,
        coalesce(paid.amount, 0) as paid_amount,
        -- a refund whose payments all failed or wait is none yet; one without payments gives goods
        coalesce(paid.is_paid, true) as is_done,
        case
            when paid.gateway like '%store_credit%' then 'store_credit'
            when paid.gateway like '%gift_card%' then 'gift_card'
            when paid.gateway is null then 'unknown'
            else 'original_payment'
        end as refund_method
    from refunds
    left join paid on refunds.account = paid.account and refunds.refund_id = paid.refund_id
)

select * from final
