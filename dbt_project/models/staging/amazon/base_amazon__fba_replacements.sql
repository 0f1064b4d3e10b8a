with

source as (
    select * from {{ source('raw_amazon', 'fba_replacements') }}
),

replacements as (
    select
        _account as account,
        nullif(trim(replacement_amazon_order_id), '') as order_id,
        nullif(trim(original_amazon_order_id), '') as original_order_id,
        coalesce(nullif(trim(sku), ''), 'unknown') as sku,
        nullif(trim(replacement_reason_code), '') as reason_code,
        cast(nullif(trim(quantity), '') as bigint) as quantity,
        {{ iso_time_or_noon("shipment_date") }} as shipped_at
    from source
)

select * from replacements
