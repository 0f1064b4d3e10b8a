with

source as (
    select * from {{ source('raw_files', 'returns') }}
),

returns as (
    select
        {{ file_channel_columns() }},
        return_ref,
        order_ref,
        line_ref,
        sku,
        cast(quantity as bigint) as quantity,
        lower(trim(status)) as status,
        reason_code,
        nullif(trim(comment), '') as comment,
        disposition,
        lower(resolution) as resolution,
        requested_at,
        received_at
    from source
)

select * from returns
