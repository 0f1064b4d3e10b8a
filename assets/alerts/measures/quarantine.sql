-- Rows held back within the last week, by stream, with the rules that they broke; rows that are
-- loaded but doubted are shown in meta.quarantine only.
with

held_back as (
    select
        connector,
        account,
        stream,
        quarantine_reason,
        sum(rows) as rows_held,
        min(quality_date) as first_date,
        max(quality_date) as last_date,
        max_by(what_to_do, quality_date) as what_to_do
    from meta.quarantine
    where
        quality_date > cast($as_of as date) - 7
        and rows > 0
        and not coalesce(is_loaded, false)
    group by connector, account, stream, quarantine_reason
)

select
    'source' as entity_type,
    concat_ws('|', connector, account, stream) as entity_key,
    account,
    cast(sum(rows_held) as double) as k,
    cast(sum(rows_held) as double) as value,
    strftime(min(first_date), '%Y-%m-%d') as since,
    string_agg(quarantine_reason, ', ' order by rows_held desc, quarantine_reason) as fact_reasons,
    max_by(what_to_do, rows_held) as fact_what_to_do
from held_back
group by connector, account, stream
