with

files as (
    select
        *,
        -- a dropped file is named "name#hash", with the word refused or skipped where it was so
        case when connector = 'files' then {{ dropped_file_part("source_ref", 1) }} else '' end
            as dropped_name,
        case when connector = 'files' then {{ dropped_file_part("source_ref", 2) }} else '' end
            as dropped_state
    from {{ source('load', 'file') }}
),

loaded_files as (
    select
        file_hash,
        connector,
        account,
        stream,
        coalesce(nullif(dropped_name, ''), file_name) as file_name,
        case when connector <> 'files' then window_from end as window_from,
        case when connector <> 'files' then window_to end as window_to,
        rows_in,
        rows_refused,
        as_of_at as loaded_at,
        coalesce(nullif(dropped_state, ''), file_state) as file_state
    from files
)

select * from loaded_files
