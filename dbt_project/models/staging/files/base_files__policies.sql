-- One row per scope of a policy and first day of validity; valid_to is the last day.
with

source as (
    select * from {{ source('raw_files', 'policies') }}
),

policies as (
    select
        upper(country) as country,
        coalesce(marketplace, 'all') as marketplace,
        coalesce(category, 'all') as category,
        coalesce(payment_method, 'all') as payment_method,
        valid_from,
        {{ add_days("valid_to", "-1") }} as valid_to,
        cast(return_window_days as bigint) as return_window_days,
        cast(withdrawal_days as bigint) as withdrawal_days,
        cast(restocking_fee_share as double) as restocking_fee_share,
        cast(refund_promise_days as bigint) as refund_promise_days,
        cast(first_answer_hours as bigint) as first_answer_hours,
        returnless_allowed,
        coalesce(source, 'policies') as policy_source
    from source
)

select * from policies
