-- Policies come with the dataset `policies`; until then only the reserved members.
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
