with

source as (
    select * from {{ source('raw_amazon', 'fba_reimbursements') }}
),

reimbursements as (
    select
        _account as account,
        _key as row_key,
        reimbursement_id,
        nullif(trim(case_id), '') as case_id,
        nullif(trim(amazon_order_id), '') as order_id,
        nullif(trim(reason), '') as reason,
        coalesce(nullif(trim(sku), ''), 'unknown') as sku,
        nullif(trim(currency_unit), '') as currency,
        {{ money("nullif(trim(amount_total), '')") }} as amount,
        cast(nullif(trim(quantity_reimbursed_cash), '') as bigint) as quantity_cash,
        cast(nullif(trim(quantity_reimbursed_inventory), '') as bigint) as quantity_inventory,
        nullif(trim(original_reimbursement_id), '') as original_reimbursement_id,
        {{ iso_time_or_noon("approval_date") }} as approved_at
    from source
)

select * from reimbursements
