-- One row per SKU and disposition of a removal order: sent back to the seller, or destroyed.
with

removals as (
    select * from {{ ref('base_amazon__removal_orders') }}
),

numbered as (
    select
        'amazon' as connector,
        account,
        removal_id,
        cast(row_number() over (
            partition by account, removal_id order by sku, disposition, row_key
        ) as bigint) as line_no,
        requested_at,
        updated_at,
        sku,
        {{ disposition("disposition") }} as disposition,
        order_type,
        quantity_shipped,
        quantity_disposed,
        fee_amount,
        currency
    from removals
)

select * from numbered
