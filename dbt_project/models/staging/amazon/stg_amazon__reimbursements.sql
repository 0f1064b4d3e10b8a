-- One row per SKU of a reimbursement. A reversal is negative; units paid in goods carry no money.
with

reimbursements as (
    select * from {{ ref('base_amazon__fba_reimbursements') }}
),

numbered as (
    select
        'amazon' as connector,
        account,
        reimbursement_id,
        cast(row_number() over (
            partition by account, reimbursement_id order by sku, row_key
        ) as bigint) as line_no,
        approved_at,
        order_id,
        sku,
        reason as reason_raw,
        currency,
        amount,
        quantity_cash,
        quantity_inventory,
        original_reimbursement_id,
        case_id as case_ref
    from reimbursements
)

select * from numbered
