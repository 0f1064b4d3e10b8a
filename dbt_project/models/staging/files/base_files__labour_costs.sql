-- One row per site, activity and first day of validity; valid_to is the first day without it.
with

source as (
    select * from {{ source('raw_files', 'labour_costs') }}
),

labour_costs as (
    select
        site_id,
        activity,
        cast(cost_per_hour as double) as cost_per_hour,
        cast(cost_per_unit as double) as cost_per_unit,
        currency,
        valid_from,
        valid_to
    from source
)

select * from labour_costs
