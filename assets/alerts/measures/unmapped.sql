-- Codes of a source that have no meaning in our vocabulary, each with the rows that carry it.
select
    'code' as entity_type,
    concat_ws('|', connector, field, raw_code) as entity_key,
    cast(rows as double) as k,
    cast(rows as double) as value,
    strftime(first_seen_date, '%Y-%m-%d') as since,
    connector as fact_connector,
    field as fact_field,
    raw_code as fact_code
from meta.unmapped_code
where rows > 0
