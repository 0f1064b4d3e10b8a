-- A line bears the parcel's cost by its units; where those are not told, by equal parts.
with

parcel_lines as (
    select
        parcel_key,
        order_line_key,
        cast(sum(quantity) as bigint) as quantity
    from {{ ref('int_parcel_line__linked') }}
    where order_line_key is not null
    group by parcel_key, order_line_key
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

weighed as (
    select
        *,
        case
            when
                count(quantity) over (partition by parcel_key)
                = count(*) over (partition by parcel_key)
                and sum(quantity) over (partition by parcel_key) > 0
                then cast(quantity as double)
            else 1.0
        end as weight
    from parcel_lines
),

final as (
    select
        weighed.parcel_key,
        weighed.order_line_key,
        order_lines.account,
        order_lines.marketplace,
        order_lines.sku,
        weighed.quantity,
        weighed.weight / sum(weighed.weight) over (partition by weighed.parcel_key) as cost_share
    from weighed
    inner join order_lines on weighed.order_line_key = order_lines.order_line_key
)

select * from final
