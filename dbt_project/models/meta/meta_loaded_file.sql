select
    file_hash,
    connector,
    account,
    stream,
    file_name,
    window_from,
    window_to,
    rows_in,
    rows_refused,
    as_of_at as loaded_at,
    file_state
from {{ source('load', 'file') }}
