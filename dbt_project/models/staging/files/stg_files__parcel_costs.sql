-- One row per parcel, kind of charge and bill of a carrier.
with

source as (
    select * from {{ source('raw_files', 'parcel_costs') }}
),

parcel_costs as (
    select
        'files' as connector,
        _account as account,
        carrier as carrier_raw,
        tracking_number,
        case when charge_type = 'claim' then 'claim_credit' else charge_type end as charge_type,
        {{ money("amount") }} as amount,
        currency,
        billed_at,
        bill_ref,
        service as service_raw,
        cast(weight_g as bigint) as weight_g,
        order_ref
    from source
)

select * from parcel_costs
