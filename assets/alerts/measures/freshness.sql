-- Sources that are behind: each stream, and the account as a whole where most of its streams are and
-- the others (those not asked every night) brought nothing either.
-- Hours count from where the data end; a stream never read counts as one hour.
with

streams as (
    select
        connector,
        account,
        stream,
        freshness_state,
        data_until,
        last_error,
        freshness_state <> 'fresh' as is_behind,
        coalesce(rows_last_night, 0) as rows_last_night,
        case
            when data_until is null then 1.0
            else greatest(date_diff('hour', data_until, $as_of), 1)
        end as hours
    from meta.freshness
    where account <> 'all'
),

accounts as (
    select
        connector,
        account,
        count(*) as streams,
        sum(case when is_behind then 1 else 0 end) as streams_behind,
        sum(case when is_behind then 0 else rows_last_night end) as rows_brought,
        max(hours) filter (where is_behind) as hours,
        min(data_until) filter (where is_behind) as data_until,
        max_by(last_error, hours) filter (where is_behind) as last_error,
        max_by(freshness_state, hours) filter (where is_behind) as freshness_state
    from streams
    group by connector, account
),

whole as (
    select * from accounts
    where streams > 1 and streams_behind >= 0.75 * streams and rows_brought = 0
)

select
    'source' as entity_type,
    concat_ws('|', connector, account, 'all') as entity_key,
    account,
    streams_behind as k,
    streams as n,
    cast(hours as double) as value,
    strftime(data_until, '%Y-%m-%d %H:%M') as since,
    null as covered_by,
    last_error as fact_cause,
    freshness_state as fact_state
from whole

union all

select
    'source' as entity_type,
    concat_ws('|', streams.connector, streams.account, streams.stream) as entity_key,
    streams.account,
    null as k,
    null as n,
    cast(streams.hours as double) as value,
    strftime(streams.data_until, '%Y-%m-%d %H:%M') as since,
    case
        when whole.account is not null
            then concat_ws('|', streams.connector, streams.account, 'all')
    end as covered_by,
    streams.last_error as fact_cause,
    streams.freshness_state as fact_state
from streams
left join whole on streams.connector = whole.connector and streams.account = whole.account
where streams.is_behind
