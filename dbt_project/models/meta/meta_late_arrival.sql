select
    connector,
    account,
    stream,
    event_date,
    days_late,
    rows
from {{ source('load', 'late_arrival') }}
