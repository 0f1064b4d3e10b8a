-- One row per lot of a SKU that any source names: purchase list, receipts, scans, inspections, or a
-- marketplace to which it was sent.
with

batches as (
    select * from {{ ref('base_files__purchase_batches') }}
),

receipts as (
    select
        lot_key,
        min(cast(received_at as date)) as first_received_date,
        sum(quantity_received) as quantity_received,
        sum(quantity_damaged) as quantity_damaged
    from {{ ref('base_files__goods_receipts') }}
    group by lot_key
),

declared as (
    select * from {{ ref('int_lot__declared') }}
),

named as (
    select
        lot_key,
        sku,
        lot_id
    from batches
    union
    select
        lot_key,
        sku,
        lot_id
    from {{ ref('base_files__goods_receipts') }}
    union
    select
        {{ lot_key("sku", "lot_id") }} as lot_key,
        sku,
        lot_id
    from {{ ref('base_files__lot_allocations') }}
    where lot_id is not null
    union
    select
        {{ lot_key("sku", "lot_id") }} as lot_key,
        sku,
        lot_id
    from {{ ref('base_files__return_inspections') }}
    where lot_id is not null
    union
    select
        lot_key,
        sku,
        lot_id
    from declared
),

final as (
    select
        named.lot_key,
        named.sku,
        named.lot_id,
        coalesce(batches.supplier_id, 'unknown') as supplier_id,
        batches.factory_id,
        batches.po_number,
        coalesce(batches.production_date, receipts.first_received_date, batches.arrived_on)
            as production_date,
        case
            when batches.production_date is not null then 'given'
            when coalesce(receipts.first_received_date, batches.arrived_on) is not null
                then 'receipt'
            else 'unknown'
        end as production_date_basis,
        coalesce(batches.expiry_date, declared.expiry_date) as expiry_date,
        coalesce(receipts.first_received_date, batches.arrived_on) as first_received_date,
        batches.quantity_produced,
        -- an arrival on the purchase list stands in for a receipt of the whole lot
        cast(
            coalesce(
                receipts.quantity_received,
                case when batches.arrived_on is not null then batches.quantity_produced end
            ) as bigint
        ) as quantity_received,
        cast(receipts.quantity_damaged as bigint) as quantity_damaged,
        batches.unit_cost as unit_cost_amount,
        batches.unit_landed_cost as unit_landed_cost_amount,
        batches.currency,
        coalesce(batches.cost_date, receipts.first_received_date) as cost_date,
        batches.test_report_ref,
        batches.certificate_expiry_date,
        batches.cold_chain_required,
        batches.allergens,
        batches.min_days_to_expiry
    from named
    left join batches on named.lot_key = batches.lot_key
    left join receipts on named.lot_key = receipts.lot_key
    left join declared on named.lot_key = declared.lot_key
)

select * from final
