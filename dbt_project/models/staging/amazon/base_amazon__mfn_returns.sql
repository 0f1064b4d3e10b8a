with

source as (
    select * from {{ source('raw_amazon', 'mfn_returns') }}
),

items as (
    select
        _account as account,
        coalesce(
            nullif(trim(amazon_rma_id), ''), nullif(trim(merchant_rma_id), ''), order_id
        ) as return_id,
        order_id,
        coalesce(nullif(trim(merchant_sku), ''), 'unknown') as sku,
        occurrence,
        report_form,
        upper(trim(return_request_status)) as request_status,
        nullif(trim(return_reason), '') as reason,
        coalesce(cast(nullif(trim(return_quantity), '') as bigint), 1) as told_quantity,
        nullif(cast(nullif(trim(order_quantity), '') as bigint), 0) as order_quantity,
        nullif(trim(tracking_id), '') as tracking_id,
        return_carrier,
        lower(trim(label_to_be_paid_by)) as label_payer,
        {{ money("nullif(trim(label_cost), '')") }} as label_cost,
        {{ money("nullif(trim(refunded_amount), '')") }} as refunded_amount,
        nullif(trim(currency_code), '') as currency,
        lower(trim(a_to_z_claim)) in ('y', 'yes', 'true') as has_guarantee_claim,
        {{ iso_time_or_noon("return_request_date") }} as requested_at,
        {{ iso_time_or_noon("return_delivery_date") }} as received_at
    from source
),

numbered as (
    select
        *,
        row_number() over (
            partition by account, return_id, sku order by order_id, occurrence
        ) as number_of_sku,
        -- a return has no more units than were ordered: what is beyond is a repeated row
        order_quantity - sum(told_quantity) over (
            partition by account, return_id, sku
            order by order_id, occurrence
            rows between unbounded preceding and current row
        ) + told_quantity as units_left
    from items
),

returned_items as (
    select
        * exclude (number_of_sku, units_left),
        sku || case
            when number_of_sku > 1 then '#' || cast(number_of_sku as varchar) else ''
        end as line,
        cast(least(told_quantity, coalesce(units_left, told_quantity)) as bigint) as quantity
    from numbered
    where coalesce(units_left, told_quantity) > 0
)

select * from returned_items
