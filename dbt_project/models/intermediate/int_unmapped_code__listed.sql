-- One row per code of a return reason, inspection, settlement or parcel that has no canonical word.
with

return_lines as (
    select * from {{ ref('int_return_line__evidenced') }}
),

inspections as (
    select * from {{ ref('int_inspection__matched') }}
),

settlement_lines as (
    select * from {{ ref('int_settlement_line__unioned') }}
),

parcel_events as (
    select * from {{ ref('int_parcel_event__classed') }}
),

codes as (
    select
        connector,
        'reason' as field,
        reason_raw as raw_code,
        first_evidence_date as seen_on
    from return_lines
    where reason_claimed = 'unknown.unmapped'
    union all
    select
        'files' as connector,
        'defect_code' as field,
        defect_code as raw_code,
        cast(inspected_at as date) as seen_on
    from inspections
    where reason_inspected = 'unknown.unmapped'
    union all
    select
        connector,
        'settlement_line' as field,
        transaction_type || '/' || amount_type || '/' || amount_description as raw_code,
        cast(posted_at as date) as seen_on
    from settlement_lines
    where line_class = 'unknown'
    union all
    select
        connector,
        'parcel_status' as field,
        native_status || coalesce('/' || native_substatus, '') as raw_code,
        event_date as seen_on
    from parcel_events
    where is_unmapped
),

final as (
    select
        connector,
        field,
        raw_code,
        cast(count(*) as bigint) as rows,
        min(seen_on) as first_seen_date,
        max(seen_on) as last_seen_date
    from codes
    group by connector, field, raw_code
)

select * from final
