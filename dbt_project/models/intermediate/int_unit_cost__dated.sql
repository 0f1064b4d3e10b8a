-- One row per SKU and day from which a marketplace tells another unit cost; the first holds for the
-- time before too. The seller's own lists of products and purchases outrank it.
with

conformed as (
    {{ union_conformed('unit_costs') }}
),

one_a_day as (
    select
        sku,
        as_of_date,
        unit_cost,
        currency
    from conformed
    qualify
        row_number() over (partition by sku, as_of_date order by connector, account) = 1
),

final as (
    select
        sku,
        case
            when lag(as_of_date) over (partition by sku order by as_of_date) is null
                then {{ unknown_date() }}
            else as_of_date
        end as valid_from,
        {{ add_days("lead(as_of_date) over (partition by sku order by as_of_date)", "-1") }}
            as valid_to,
        unit_cost,
        currency
    from one_a_day
)

select * from final
