with

source as (
    select * from {{ source('raw_files', 'purchase_batches') }}
),

batches as (
    select
        lot_id,
        sku,
        {{ lot_key("sku", "lot_id") }} as lot_key,
        supplier_id,
        supplier_name,
        factory_id,
        po_number,
        production_date,
        expiry_date,
        arrived_on,
        cast(quantity_produced as bigint) as quantity_produced,
        unit_cost,
        -- the sum of the parts where the purchase price is known; a total that is given wins
        coalesce(
            unit_landed_cost,
            {{ money("unit_cost + coalesce(unit_freight, 0) + coalesce(unit_duty, 0)
                + coalesce(unit_other, 0)") }}
        ) as unit_landed_cost,
        currency,
        coalesce(cost_date, production_date, arrived_on) as cost_date,
        test_report_ref,
        certificate_expiry_date,
        cold_chain_required,
        allergens,
        cast(min_days_to_expiry as bigint) as min_days_to_expiry,
        row_flags
    from source
)

select * from batches
