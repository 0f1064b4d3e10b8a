-- One row per connector, normalised code of a return reason and first day of validity.
with

reasons as (
    {{ union_conformed('reasons') }}
),

canonical as (
    select reason_l2 from {{ ref('dim_reason') }}
),

final as (
    select
        reasons.connector,
        reasons.raw_code,
        reasons.reason_l2,
        reasons.confidence,
        coalesce(reasons.valid_from, {{ unknown_date() }}) as valid_from
    from reasons
    inner join canonical on reasons.reason_l2 = canonical.reason_l2
    qualify row_number() over (
        partition by
            reasons.connector,
            reasons.raw_code,
            coalesce(reasons.valid_from, {{ unknown_date() }})
        order by reasons.reason_l2
    ) = 1
)

select * from final
