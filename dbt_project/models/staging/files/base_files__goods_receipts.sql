with

source as (
    select * from {{ source('raw_files', 'goods_receipts') }}
),

receipts as (
    select
        receipt_id,
        cast(line_no as bigint) as line_no,
        fulfilment_centre_id,
        upper(country) as country,
        lot_id,
        sku,
        {{ lot_key("sku", "lot_id") }} as lot_key,
        cast(quantity_received as bigint) as quantity_received,
        coalesce(cast(quantity_damaged as bigint), 0) as quantity_damaged,
        channel_account as account,
        channel_marketplace as marketplace,
        received_at
    from source
)

select * from receipts
