with

parcels as (
    select * from {{ ref('int_parcel__measured') }}
),

bills as (
    select * from {{ ref('int_parcel_bill__spread') }}
),

replacements as (
    select order_key from {{ ref('int_order_link__resolved') }}
    where link_kind = 'replacement'
),

fx_rates as (
    select * from {{ ref('int_fx_rate__daily') }}
),

setting as (
    select * from {{ source('settings', 'setting') }}
),

-- what carrying it cost: no duties, no compensation
billed as (
    select
        parcel_key,
        bill_key,
        min(currency) as currency,
        min(billed_date) as cost_date,
        sum(amount) as amount
    from bills
    where charge_type in ('freight', 'surcharge', 'return') and parcel_key <> 'unknown'
    group by parcel_key, bill_key
),

quoted as (
    select
        parcels.parcel_key,
        parcels.label_amount as amount,
        parcels.label_currency as currency,
        cast(parcels.shipped_at as date) as cost_date
    from parcels
    where
        parcels.label_amount is not null
        and parcels.parcel_key not in (select billed.parcel_key from billed)
),

charges as (
    select
        parcel_key,
        amount,
        currency,
        cost_date,
        'billed' as cost_source
    from billed
    union all
    select
        parcel_key,
        amount,
        currency,
        cost_date,
        'quoted' as cost_source
    from quoted
),

summed as (
    select
        charges.parcel_key,
        min(charges.cost_source) as cost_source,
        case when count(distinct charges.currency) = 1 then min(charges.currency) end as currency,
        case when count(distinct charges.currency) = 1 then {{ money("sum(charges.amount)") }} end
            as cost_amount,
        -- one charge without a rate leaves the sum unknown
        case
            when count(fx_rates.rate_to_reporting) = count(*)
                then
                    {{ money("sum(" ~ money("charges.amount * fx_rates.rate_to_reporting") ~ ")") }}
        end as cost_reporting
    from charges
    left join fx_rates
        on charges.cost_date = fx_rates.rate_date and charges.currency = fx_rates.currency
    group by charges.parcel_key
),

final as (
    select
        parcels.parcel_key,
        parcels.order_key,
        parcels.account,
        parcels.marketplace,
        {{ carrier_key("parcels.carrier", "parcels.service") }} as carrier_key,
        parcels.carrier,
        parcels.service,
        parcels.tracking_number,
        case
            when parcels.direction = 'outbound' and replacements.order_key is not null
                then 'replacement'
            else parcels.direction
        end as direction,
        parcels.origin,
        parcels.destination,
        parcels.fulfilment_centre_id,
        parcels.milestone,
        parcels.exception_code,
        parcels.label_created_at,
        parcels.accepted_at,
        parcels.departed_origin_at,
        parcels.arrived_destination_at,
        parcels.customs_cleared_at,
        parcels.first_attempt_at,
        parcels.delivered_at,
        parcels.ship_by_at,
        parcels.promised_date,
        parcels.days_late,
        parcels.transit_days,
        parcels.failed_attempts,
        parcels.customs_hold_hours,
        parcels.is_lost,
        parcels.is_presumed_lost,
        parcels.is_damaged_scan,
        parcels.is_returned_to_sender,
        parcels.undelivered_kind,
        parcels.has_tracking_gap,
        parcels.is_duty_dispute,
        summed.cost_amount,
        summed.currency,
        summed.cost_reporting,
        coalesce(summed.cost_source, 'missing') as cost_source,
        setting.reporting_currency
    from parcels
    cross join setting
    left join replacements on parcels.order_key = replacements.order_key
    left join summed on parcels.parcel_key = summed.parcel_key
)

select * from final
