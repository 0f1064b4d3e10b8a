-- One row per site, activity and first day of validity; valid_to is the first day without it: a row
-- of a later file ends what an earlier one left open.
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
        least(
            valid_to,
            lead(valid_from) over (partition by site_id, activity order by valid_from)
        ) as valid_to
    from source
)

select * from labour_costs
