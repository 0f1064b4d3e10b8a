-- One row per item of an inbound plan for which the seller typed a lot code. A plan is what was to
-- be sent, no receipt.
with

inbound_items as (
    select * from {{ ref('base_amazon__inbound_items') }}
),

lots as (
    select
        'amazon' as connector,
        account,
        sku,
        lot_id,
        expiry_date,
        quantity,
        created_at as declared_at
    from inbound_items
    where lot_id is not null and sku <> 'unknown'
)

select * from lots
