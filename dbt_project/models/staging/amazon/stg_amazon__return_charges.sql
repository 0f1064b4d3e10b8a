-- One row per label of a seller-fulfilled return. A label's cost stands on each item of its return:
-- it counts on the first.
with

returned_items as (
    select * from {{ ref('base_amazon__mfn_returns') }}
),

labels as (
    select *
    from returned_items
    where label_cost <> 0
    qualify row_number() over (
        partition by account, return_id, tracking_id order by line
    ) = 1
),

return_charges as (
    select
        'amazon' as connector,
        account,
        return_id,
        line,
        order_id,
        sku as line_id,
        sku,
        'return_shipping' as charge_kind,
        case
            when label_payer in ('customer', 'buyer') then 'buyer'
            when label_payer in ('seller', 'merchant') then 'seller'
            when label_payer = 'amazon' then 'marketplace'
            else 'unknown'
        end as payer,
        label_cost as amount,
        coalesce(currency, 'unknown') as currency,
        requested_at as charged_at
    from labels
)

select * from return_charges
