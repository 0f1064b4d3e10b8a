with

events as (
    select * from {{ ref('int_cost_money__gathered') }}
    union all
    select * from {{ ref('int_cost_goods__gathered') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

return_lines as (
    select
        return_line_key,
        reason_final
    from {{ ref('int_return_line__resolved') }}
),

-- what a cost of a line belongs to where its origin names no return
line_returns as (
    select
        order_line_key,
        case when count(*) = 1 then min(return_line_key) else 'unknown' end as return_line_key,
        min_by(reason_final, row(first_evidence_date, return_line_key)) as first_reason
    from {{ ref('int_return_line__resolved') }}
    where order_line_key <> 'unknown' and not is_closed_without_goods
    group by order_line_key
),

fx_rates as (
    select * from {{ ref('int_fx_rate__daily') }}
),

setting as (
    select
        reporting_currency,
        include_sunk
    from {{ source('settings', 'setting') }}
),

-- every party of a reason with where its part of the money begins and ends
reason_parties as (
    {%- for party in cost_parties() %}
        select
            reason_l2,
            '{{ party }}' as party,
            {{ running_share(loop.index0) }} as share_from,
            {{ running_share(loop.index) }} as share_to
        from {{ ref('dim_reason') }}
        where share_{{ party }} > 0
        {{ "union all" if not loop.last }}
    {%- endfor %}
),

linked as (
    select
        events.origin,
        events.origin_key,
        events.component,
        events.event_at,
        events.event_date,
        events.currency,
        events.cost_amount,
        events.parcel_key,
        events.case_key,
        events.cost_order_rate_reporting,
        coalesce(order_lines.order_line_key, 'unknown') as order_line_key,
        coalesce(order_lines.order_key, 'unknown') as order_key,
        case when order_lines.order_line_key is null then 'unallocated' else events.source end
            as source,
        coalesce(events.return_line_key, line_returns.return_line_key, 'none') as return_line_key,
        events.reason_l2 as told_reason,
        line_returns.first_reason,
        coalesce(order_lines.account, events.account) as account,
        coalesce(order_lines.marketplace, events.marketplace) as marketplace,
        coalesce(order_lines.country, events.country) as country,
        coalesce(order_lines.sku, events.sku) as sku,
        coalesce(order_lines.cohort_month, {{ unknown_date() }}) as cohort_month
    from events
    left join order_lines on events.order_line_key = order_lines.order_line_key
    left join line_returns on events.order_line_key = line_returns.order_line_key
),

reasoned as (
    select
        linked.*,
        coalesce(
            linked.told_reason,
            return_lines.reason_final,
            case when linked.return_line_key = 'unknown' then linked.first_reason end,
            'unknown.no_reason'
        ) as reason_l2
    from linked
    left join return_lines on linked.return_line_key = return_lines.return_line_key
),

converted as (
    select
        reasoned.*,
        abs(reasoned.cost_amount) as whole_amount,
        abs({{ money("reasoned.cost_amount * fx_rates.rate_to_reporting") }}) as whole_reporting,
        case
            when reasoned.component = 'refund_net' then abs(reasoned.cost_order_rate_reporting)
            else abs({{ money("reasoned.cost_amount * fx_rates.rate_to_reporting") }})
        end as whole_order_rate_reporting
    from reasoned
    left join fx_rates
        on reasoned.event_date = fx_rates.rate_date and reasoned.currency = fx_rates.currency
),

parted as (
    select
        converted.*,
        reason_parties.party,
        {{ party_part("converted.whole_amount", "reason_parties.share_from",
            "reason_parties.share_to") }} as amount,
        {{ party_part("converted.whole_reporting", "reason_parties.share_from",
            "reason_parties.share_to") }} as amount_reporting,
        {{ party_part("converted.whole_order_rate_reporting", "reason_parties.share_from",
            "reason_parties.share_to") }} as amount_order_rate_reporting
    from converted
    inner join reason_parties on converted.reason_l2 = reason_parties.reason_l2
),

counted as (
    select
        parted.*,
        {{ counts_in_k01("parted.component", "setting.include_sunk") }} as counts_in_k01,
        {{ counts_in_k02("parted.component", "setting.include_sunk") }} as counts_in_k02,
        setting.reporting_currency
    from parted
    cross join setting
    where parted.amount > 0
),

final as (
    select
        md5(
            origin || '|' || component || '|' || party || '|'
            || order_line_key || '|' || origin_key
        ) as cost_key,
        order_line_key,
        order_key,
        return_line_key,
        parcel_key,
        case_key,
        account,
        marketplace,
        country,
        sku,
        component,
        case when cost_amount > 0 then 'cost' else 'credit' end as direction,
        not counts_in_k01 as is_memo,
        counts_in_k01,
        counts_in_k02,
        source,
        party as attributed_party,
        reason_l2,
        event_at,
        event_date,
        cohort_month,
        currency,
        amount,
        amount_reporting,
        amount_order_rate_reporting,
        reporting_currency
    from counted
)

select * from final
