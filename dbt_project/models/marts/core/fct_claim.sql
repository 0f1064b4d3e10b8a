-- One row per claim sent to a supplier, carrier or marketplace.
with

conformed as (
    {{ union_conformed('claims') }}
),

refs as (
    select * from {{ ref('int_order_ref__matched') }}
),

orders as (
    select
        order_key,
        min(account) as account,
        min(marketplace) as marketplace
    from {{ ref('int_order_line__enriched') }}
    group by order_key
),

lots as (
    select lot_key from {{ ref('dim_lot') }}
),

suppliers as (
    select supplier_id from {{ ref('dim_supplier') }}
),

parcels as (
    select
        tracking_number,
        case when count(*) = 1 then min(parcel_key) end as parcel_key
    from {{ ref('fct_parcel') }}
    group by tracking_number
),

marketplaces as (
    select * from {{ ref('dim_marketplace') }}
),

fx_rates as (
    select * from {{ ref('int_fx_rate__daily') }}
),

setting as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

linked as (
    select
        conformed.*,
        orders.order_key,
        orders.account as order_account,
        coalesce(marketplaces.marketplace, 'unknown') as known_marketplace,
        coalesce(marketplaces.time_zone, 'UTC') as time_zone,
        case
            when conformed.sku is not null and conformed.lot_id is not null
                then {{ lot_key("conformed.sku", "conformed.lot_id") }}
        end as told_lot_key
    from conformed
    left join refs as own_refs
        on
            conformed.connector = own_refs.connector
            and conformed.account = own_refs.account
            and conformed.order_ref = own_refs.order_ref
    left join refs as any_refs
        on any_refs.connector = 'all' and conformed.order_ref = any_refs.order_ref
    left join orders
        on coalesce(own_refs.order_key, any_refs.order_key) = orders.order_key
    left join marketplaces
        on
            coalesce(orders.marketplace, conformed.marketplace, 'unknown')
            = marketplaces.marketplace
),

final as (
    select
        linked.claim_id,
        linked.party,
        coalesce(linked.order_account, linked.account) as account,
        linked.known_marketplace as marketplace,
        case
            when linked.supplier_id is null then 'none'
            else coalesce(suppliers.supplier_id, 'unknown')
        end as supplier_id,
        case
            when linked.lot_id is null then 'none' else coalesce(lots.lot_key, 'unknown')
        end as lot_key,
        coalesce(linked.sku, 'none') as sku,
        case
            when linked.order_ref is null then 'none' else coalesce(linked.order_key, 'unknown')
        end as order_key,
        case
            when linked.tracking_number is null then 'none'
            else coalesce(parcels.parcel_key, 'unknown')
        end as parcel_key,
        linked.units,
        linked.opened_at,
        linked.decided_at,
        linked.claim_status,
        linked.claimed_amount,
        linked.paid_amount,
        linked.currency,
        {{ money("linked.claimed_amount * opened_rates.rate_to_reporting") }} as claimed_reporting,
        case
            when linked.paid_amount = 0 then {{ money("0") }}
            else {{ money("linked.paid_amount * paid_rates.rate_to_reporting") }}
        end as paid_reporting,
        setting.reporting_currency
    from linked
    cross join setting
    left join suppliers on linked.supplier_id = suppliers.supplier_id
    left join lots on linked.told_lot_key = lots.lot_key
    left join parcels on linked.tracking_number = parcels.tracking_number
    left join fx_rates as opened_rates
        on
            {{ local_date("linked.opened_at", "linked.time_zone") }} = opened_rates.rate_date
            and linked.currency = opened_rates.currency
    left join fx_rates as paid_rates
        on
            {{ local_date("coalesce(linked.decided_at, linked.opened_at)", "linked.time_zone") }}
            = paid_rates.rate_date
            and linked.currency = paid_rates.currency
)

select * from final
