select
    connector,
    account,
    stream,
    quality_date,
    quarantine_reason,
    rows,
    coalesce(example_ref, 'none') as example_ref,
    coalesce(what_to_do, 'none') as what_to_do
from {{ source('load', 'quarantine') }}
