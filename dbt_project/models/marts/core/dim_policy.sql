-- A policy of a marketplace that nobody sells on, or of a country that is none, is listed as a
-- doubt of its file (int_file_row__doubted) and no row here.
with

policies as (
    select
        policies.country,
        policies.marketplace,
        policies.category,
        policies.payment_method,
        policies.valid_from,
        policies.valid_to,
        policies.return_window_days,
        policies.withdrawal_days,
        policies.restocking_fee_share,
        policies.refund_promise_days,
        policies.first_answer_hours,
        policies.returnless_allowed,
        policies.policy_source
    from {{ ref('base_files__policies') }} as policies
    inner join {{ ref('dim_marketplace') }} as marketplaces
        on policies.marketplace = marketplaces.marketplace
    inner join {{ ref('dim_country') }} as countries on policies.country = countries.country
),

reserved as (
    select
        case member when 'unknown' then 'ZZ' else member end as country,
        member as marketplace,
        member as category,
        member as payment_method,
        {{ unknown_date() }} as valid_from,
        cast(null as date) as valid_to,
        cast(null as bigint) as return_window_days,
        cast(null as bigint) as withdrawal_days,
        cast(null as double) as restocking_fee_share,
        cast(null as bigint) as refund_promise_days,
        cast(null as bigint) as first_answer_hours,
        cast(null as boolean) as returnless_allowed,
        member as policy_source
    from {{ reserved_members() }}
),

final as (
    select * from policies
    union all
    select * from reserved
)

select * from final
