select
    connector,
    field,
    coalesce(raw_code, 'none') as raw_code,
    rows,
    first_seen_date,
    last_seen_date,
    'unknown.unmapped' as mapped_to
from {{ ref('int_unmapped_code__listed') }}
