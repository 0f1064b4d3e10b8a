with

source as (
    select * from {{ source('raw_amazon', 'inbound_plans') }}
    where upper(status) <> 'VOIDED'
),

items as (
    select
        source._account as account,
        source.inboundPlanId as plan_id,
        {{ iso_timestamp("source.createdAt") }} as created_at,
        {{ elements("source.items") }} as item
    from source
),

inbound_items as (
    select
        items.account,
        items.plan_id,
        items.created_at,
        coalesce(nullif(trim(items.item.msku), ''), 'unknown') as sku,
        nullif(trim(items.item.manufacturingLotCode), '') as lot_id,
        try_cast(items.item.expiration as date) as expiry_date,
        cast(items.item.quantity as bigint) as quantity
    from items
)

select * from inbound_items
