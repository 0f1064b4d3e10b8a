with

source as (
    select * from {{ source('raw_files', 'refunds') }}
),

refunds as (
    select
        {{ file_channel_columns() }},
        refund_ref,
        order_ref,
        line_ref,
        sku,
        return_ref,
        amount,
        currency,
        cast(quantity as bigint) as quantity,
        tax_amount,
        coalesce(tax_included, false) as tax_included,
        shipping_amount,
        lower(trim(kind)) as kind,
        lower(trim(refund_method)) as refund_method,
        is_returnless,
        refunded_at
    from source
)

select * from refunds
