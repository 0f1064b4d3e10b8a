with

source as (
    select * from {{ source('raw_amazon', 'inventory_ledger') }}
),

ledger_events as (
    select
        _account as account,
        md5(_key) as event_id,
        upper(replace(replace(trim(event_type), ' ', ''), '_', '')) as event_type,
        coalesce(nullif(trim(msku), ''), 'unknown') as sku,
        nullif(trim(fulfillment_center), '') as fulfilment_centre_id,
        upper(trim(disposition)) as disposition,
        nullif(trim(reason), '') as reason,
        nullif(trim(reference_id), '') as reference_id,
        cast(nullif(trim(quantity), '') as bigint) as quantity,
        coalesce(
            {{ iso_timestamp("date_and_time") }}, {{ iso_time_or_noon('"date"') }}
        ) as happened_at
    from source
)

select * from ledger_events
