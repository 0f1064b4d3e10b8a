-- Streams whose fields changed and were seen so within the last week. A field that came is level 1,
-- one that is missing or has another type is level 2.
select
    'source' as entity_type,
    concat_ws('|', connector, 'all', stream) as entity_key,
    cast(count(*) as double) as k,
    max(case when drift_kind = 'added' then 1.0 else 2.0 end) as value,
    strftime(min(first_seen_at), '%Y-%m-%d') as since,
    string_agg(field || ' (' || drift_kind || ')', ', ' order by field, drift_kind) as fact_fields,
    connector as fact_connector,
    stream as fact_stream
from meta.schema_drift
where last_seen_at > $as_of - interval 7 day
group by connector, stream
