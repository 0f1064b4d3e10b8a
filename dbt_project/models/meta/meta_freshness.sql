-- One row per stream of an account that a night has tried to read or a file has brought.
with

outcomes as (
    select * from {{ source('load', 'outcome') }}
),

files as (
    select * from {{ source('load', 'file') }}
),

cursors as (
    select * from {{ source('load', 'cursor') }}
),

row_counts as (
    {{ raw_row_counts() }}
),

latest_outcomes as (
    select
        connector,
        account,
        stream,
        max(case when state = 'ok' then as_of_at end) as last_success_at,
        max_by(state, as_of_at) as last_state,
        max_by(error, as_of_at) as last_error,
        max_by(rows_changed, as_of_at) as rows_last_night,
        max_by(nullif(api_version, ''), as_of_at) as api_version,
        max_by(sunset_date, as_of_at) as sunset_date
    from outcomes
    group by
        connector,
        account,
        stream
),

latest_files as (
    select
        connector,
        account,
        stream,
        max(as_of_at) as last_loaded_at,
        max_by(encoding, as_of_at) as file_encoding
    from files
    group by
        connector,
        account,
        stream
),

streams as (
    select
        connector,
        account,
        stream
    from latest_outcomes

    union

    select
        connector,
        account,
        stream
    from latest_files
),

joined as (
    select
        streams.connector,
        streams.account,
        streams.stream,
        coalesce(latest_outcomes.last_success_at, latest_files.last_loaded_at) as last_success_at,
        coalesce(
            cursors.cursor_at, latest_outcomes.last_success_at, latest_files.last_loaded_at
        ) as data_until,
        coalesce(row_counts.rows_total, 0) as rows_total,
        coalesce(latest_outcomes.rows_last_night, 0) as rows_last_night,
        latest_files.file_encoding,
        latest_outcomes.last_state,
        latest_outcomes.last_error,
        coalesce(latest_outcomes.api_version, 'none') as api_version,
        latest_outcomes.sunset_date
    from streams
    left join latest_outcomes
        on
            streams.connector = latest_outcomes.connector
            and streams.account = latest_outcomes.account
            and streams.stream = latest_outcomes.stream
    left join latest_files
        on
            streams.connector = latest_files.connector
            and streams.account = latest_files.account
            and streams.stream = latest_files.stream
    left join cursors
        on
            streams.connector = cursors.connector
            and streams.account = cursors.account
            and streams.stream = cursors.stream
    left join row_counts
        on
            streams.connector = row_counts.connector
            and streams.account = row_counts.account
            and streams.stream = row_counts.stream
),

final as (
    select
        connector,
        account,
        stream,
        last_success_at,
        data_until,
        rows_total,
        rows_last_night,
        file_encoding,
        case
            when last_success_at is null then 'never'
            when last_state = 'failed' then 'failing'
            when data_until < {{ as_of_at() }} - interval '2' day then 'stale'
            else 'fresh'
        end as freshness_state,
        case when last_state = 'failed' then last_error end as last_error,
        api_version,
        sunset_date
    from joined
)

select * from final
