-- One row per payment report: what its summary says was paid.
with

summaries as (
    select * from {{ ref('base_walmart__recon') }}
    where is_summary
),

settlements as (
    select
        'walmart' as connector,
        account,
        settlement_id,
        {{ money("total_payable") }} as total_amount,
        currency,
        coalesce(posted_at, period_end_at) as deposited_at
    from summaries
    qualify row_number() over (partition by account, settlement_id order by row_no) = 1
)

select * from settlements
