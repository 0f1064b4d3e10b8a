with

held_back as (
    select
        connector,
        account,
        stream,
        quality_date,
        quarantine_reason,
        rows,
        example_ref,
        what_to_do
    from {{ source('load', 'quarantine') }}

    union all

    select
        connector,
        account,
        stream,
        quality_date,
        quarantine_reason,
        rows,
        example_ref,
        what_to_do
    from {{ ref('int_quarantine__modelled') }}
),

final as (
    select
        connector,
        account,
        stream,
        quality_date,
        quarantine_reason,
        cast(sum(rows) as bigint) as rows,
        coalesce(min(example_ref), 'none') as example_ref,
        coalesce(min(what_to_do), 'none') as what_to_do
    from held_back
    group by
        connector,
        account,
        stream,
        quality_date,
        quarantine_reason
)

select * from final
