-- One row per return whose label the seller pays for.
with

returns as (
    select * from {{ ref('base_ebay__returns') }}
),

return_charges as (
    select
        'ebay' as connector,
        account,
        return_id,
        '1' as line,
        order_id,
        line_id,
        sku,
        'return_shipping' as charge_kind,
        'seller' as payer,
        {{ money("label_amount") }} as amount,
        coalesce(label_currency, 'unknown') as currency,
        requested_at as charged_at
    from returns
    where label_amount > 0
)

select * from return_charges
