-- One row: up to when every source in use has been read, never later than the clock. Files and
-- exchange rates set no limit, nor do desks, review apps and trackers. A stream read up to the last
-- hour counts as read up to the clock: some APIs do not serve the last minutes.
with

cursors as (
    select * from {{ source('load', 'cursor') }}
),

accounts as (
    select * from {{ source('settings', 'account') }}
),

earliest as (
    select min(cursors.cursor_at) as cursor_at
    from cursors
    inner join accounts
        on cursors.connector = accounts.connector and cursors.account = accounts.account
    where accounts.is_active and accounts.account_kind in ('marketplace', 'own_shop')
),

final as (
    select
        case
            when cursor_at is null then {{ as_of_at() }}
            when cursor_at >= {{ as_of_at() }} - interval '1' hour then {{ as_of_at() }}
            else cursor_at
        end as data_until
    from earliest
)

select
    data_until,
    cast(data_until as date) as data_until_date
from final
