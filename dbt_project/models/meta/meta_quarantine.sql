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
        what_to_do,
        false as is_loaded
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
        what_to_do,
        false as is_loaded
    from {{ ref('int_quarantine__modelled') }}

    union all

    select
        connector,
        account,
        stream,
        quality_date,
        quarantine_reason,
        rows,
        example_ref,
        what_to_do,
        true as is_loaded
    from {{ ref('int_file_row__doubted') }}
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
        coalesce(min(what_to_do), 'none') as what_to_do,
        bool_and(is_loaded) as is_loaded
    from held_back
    group by
        connector,
        account,
        stream,
        quality_date,
        quarantine_reason
)

select * from final
