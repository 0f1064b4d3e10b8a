with

source as (
    select * from {{ source('raw_amazon', 'removal_orders') }}
),

removals as (
    select
        _account as account,
        _key as row_key,
        order_id as removal_id,
        nullif(trim(order_type), '') as order_type,
        coalesce(nullif(trim(sku), ''), 'unknown') as sku,
        nullif(trim(disposition), '') as disposition,
        coalesce(cast(nullif(trim(shipped_quantity), '') as bigint), 0) as quantity_shipped,
        coalesce(cast(nullif(trim(disposed_quantity), '') as bigint), 0) as quantity_disposed,
        {{ money("nullif(trim(removal_fee), '')") }} as fee_amount,
        nullif(trim(currency), '') as currency,
        {{ iso_time_or_noon("request_date") }} as requested_at,
        {{ iso_time_or_noon("last_updated_date") }} as updated_at
    from source
)

select * from removals
