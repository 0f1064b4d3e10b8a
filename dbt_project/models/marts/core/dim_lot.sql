with

lots as (
    select * from {{ ref('int_lot__received') }}
),

skus as (
    select * from {{ ref('int_sku__listed') }}
),

fx_rates as (
    select * from {{ ref('int_fx_rate__daily') }}
),

settings as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

listed as (
    select
        lots.lot_key,
        lots.sku,
        lots.lot_id,
        lots.supplier_id,
        coalesce(lots.factory_id, 'unknown') as factory_id,
        coalesce(lots.po_number, 'unknown') as po_number,
        lots.production_date,
        lots.production_date_basis,
        lots.expiry_date,
        lots.first_received_date,
        lots.quantity_produced,
        lots.quantity_received,
        lots.quantity_damaged,
        lots.unit_cost_amount,
        lots.unit_landed_cost_amount,
        coalesce(lots.currency, 'unknown') as currency,
        {{ money("lots.unit_landed_cost_amount * fx_rates.rate_to_reporting") }}
            as unit_landed_cost,
        lots.cost_date,
        lots.test_report_ref,
        lots.certificate_expiry_date,
        lots.cold_chain_required,
        lots.allergens,
        lots.min_days_to_expiry
    from lots
    left join fx_rates
        on
            lots.currency = fx_rates.currency
            and lots.cost_date = fx_rates.rate_date
),

-- units whose lot is not known have a lot of that name; so have the reserved members
nameless as (
    select
        {{ key_part("sku") }} || '|unattributed' as lot_key,
        sku,
        'unattributed' as lot_id,
        'unknown' as supplier_id
    from skus

    union all

    select
        'unknown|unattributed' as lot_key,
        'unknown' as sku,
        'unattributed' as lot_id,
        'unknown' as supplier_id

    union all

    select
        member as lot_key,
        member as sku,
        member as lot_id,
        member as supplier_id
    from {{ reserved_members() }}
),

undescribed as (
    select
        lot_key,
        sku,
        lot_id,
        supplier_id,
        'unknown' as factory_id,
        'unknown' as po_number,
        cast(null as date) as production_date,
        'unknown' as production_date_basis,
        cast(null as date) as expiry_date,
        cast(null as date) as first_received_date,
        cast(null as bigint) as quantity_produced,
        cast(null as bigint) as quantity_received,
        cast(null as bigint) as quantity_damaged,
        cast(null as decimal(18, 4)) as unit_cost_amount,
        cast(null as decimal(18, 4)) as unit_landed_cost_amount,
        'unknown' as currency,
        cast(null as decimal(18, 4)) as unit_landed_cost,
        cast(null as date) as cost_date,
        cast(null as varchar) as test_report_ref,
        cast(null as date) as certificate_expiry_date,
        cast(null as boolean) as cold_chain_required,
        cast(null as varchar) as allergens,
        cast(null as bigint) as min_days_to_expiry
    from nameless
),

all_lots as (
    select * from listed
    union all
    select * from undescribed
),

final as (
    select
        all_lots.*,
        settings.reporting_currency
    from all_lots
    cross join settings
)

select * from final
