with

source as (
    select * from {{ source('raw_amazon', 'fba_returns') }}
),

returned_units as (
    select
        _account as account,
        -- the unit's licence plate; without one, what tells the row apart (facts/metrics.md 1.4)
        coalesce(
            nullif(trim(license_plate_number), ''),
            md5(
                coalesce(order_id, '') || '|' || coalesce(sku, '') || '|'
                || coalesce(return_date, '') || '|' || coalesce(detailed_disposition, '') || '|'
                || coalesce(reason, '') || '|' || cast(occurrence as varchar)
            )
        ) as return_id,
        nullif(trim(order_id), '') as order_id,
        coalesce(nullif(trim(sku), ''), 'unknown') as sku,
        nullif(trim(fulfillment_center_id), '') as fulfilment_centre_id,
        coalesce(cast(nullif(trim(quantity), '') as bigint), 1) as quantity,
        upper(nullif(trim(detailed_disposition), '')) as disposition,
        nullif(trim(reason), '') as reason,
        status,
        nullif(trim(customer_comments), '') as customer_comments,
        return_date,
        {{ iso_timestamp("return_date") }} as returned_at
    from source
)

select * from returned_units
