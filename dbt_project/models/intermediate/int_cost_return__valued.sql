-- One row per returned line whose goods came back, with what they cost when they were bought, what
-- of it is lost and the rates of the settings that hold for it. Goods that can be sold again are
-- back in stock at landed cost; all others are written off, less the share that is recovered.
with

return_lines as (
    select * from {{ ref('int_return_line__resolved') }}
    where is_received and not is_closed_without_goods
),

order_lines as (
    select
        order_line_key,
        quantity_shipped,
        unit_landed_cost_reporting
    from {{ ref('fct_order_line') }}
),

marketplaces as (
    select * from {{ ref('dim_marketplace') }}
),

cost_rates as (
    select * from {{ source('settings', 'cost_rate') }}
    where cost_kind = 'recovery_share'
),

judged as (
    select
        return_lines.return_line_key,
        return_lines.order_line_key,
        return_lines.account,
        return_lines.marketplace,
        return_lines.country,
        return_lines.sku,
        return_lines.quantity,
        return_lines.disposition,
        order_lines.quantity_shipped,
        order_lines.unit_landed_cost_reporting,
        coalesce(marketplaces.time_zone, 'UTC') as time_zone,
        coalesce(return_lines.received_at, return_lines.refund_evidence_at) as back_at,
        coalesce(
            return_lines.graded_at, return_lines.received_at, return_lines.refund_evidence_at
        ) as graded_at,
        case when return_lines.disposition = 'missing' then 0 else return_lines.quantity end
            as units_back,
        return_lines.disposition <> 'missing'
        and return_lines.next_step in ('liquidate', 'return_to_supplier', 'destroy')
            as is_given_up,
        coalesce(return_lines.recovered_reporting, 0) > 0 as is_recovery_told,
        cost_rates.rate as recovery_share
    from return_lines
    left join order_lines on return_lines.order_line_key = order_lines.order_line_key
    left join marketplaces on return_lines.marketplace = marketplaces.marketplace
    left join cost_rates on return_lines.disposition = cost_rates.subject
),

lost as (
    select
        *,
        case
            when disposition = 'missing' then 0
            when is_given_up then 1
            when disposition = 'sellable' then 0
            when disposition = 'unknown' then 1 - coalesce(recovery_share, 1)
            when is_recovery_told then 1
            else 1 - coalesce(recovery_share, 0)
        end as share_lost
    from judged
),

final as (
    select
        return_line_key,
        order_line_key,
        account,
        marketplace,
        country,
        sku,
        quantity,
        disposition,
        quantity_shipped,
        time_zone,
        back_at,
        {{ local_date("back_at", "time_zone") }} as back_date,
        graded_at,
        is_given_up
        or disposition not in ('sellable', 'unknown', 'missing') as is_written_off,
        {{ money("unit_landed_cost_reporting * units_back") }} as landed_cost_returned,
        {{ money("unit_landed_cost_reporting * units_back * share_lost") }} as write_off
    from lost
)

select * from final
