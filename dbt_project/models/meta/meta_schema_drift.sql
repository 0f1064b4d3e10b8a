select
    connector,
    stream,
    field,
    drift_kind,
    first_seen_at,
    last_seen_at
from {{ source('load', 'drift') }}
