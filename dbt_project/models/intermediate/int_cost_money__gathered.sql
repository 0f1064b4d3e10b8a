-- One row per event of money after a sale, before it is shared out among parties: refunds, fees
-- given back or kept, what settlements and reports of a marketplace bill or pay, fees of disputes.
-- cost_amount is positive for a cost, negative for a credit; return and reason are NULL where the
-- origin tells none.
with

refunds as (
    select * from {{ ref('fct_refund_line') }}
    where kind <> 'cancellation' and not is_duplicate_of_chargeback
),

settlement_parts as (
    select * from {{ ref('int_cost_settlement__spread') }}
),

reimbursements as (
    select * from {{ ref('int_reimbursement__unioned') }}
),

removals as (
    select * from {{ ref('int_removal__unioned') }}
),

order_lines as (
    select * from {{ ref('fct_order_line') }}
),

time_zones as (
    select
        order_line_key,
        time_zone
    from {{ ref('int_order_line__enriched') }}
),

setting as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

cost_rates as (
    select max(rate) as dispute_fee
    from {{ source('settings', 'cost_rate') }}
    where cost_kind = 'dispute_fee'
),

refund_events as (
    select
        refunds.refund_line_key as origin_key,
        parts.component,
        'billed' as source,
        refunds.order_line_key,
        refunds.return_line_key,
        case
            when refunds.return_line_key = 'none' and refunds.kind = 'inr'
                then 'logistics.not_received_lost'
        end as reason_l2,
        refunds.account,
        refunds.marketplace,
        refunds.country,
        refunds.sku,
        refunds.refunded_at as event_at,
        refunds.refunded_date as event_date,
        refunds.currency,
        case parts.component
            when 'refund_net' then refunds.net_amount
            else refunds.tax_amount
        end as cost_amount,
        case parts.component
            when 'refund_net' then refunds.net_order_rate_reporting
        end as cost_order_rate_reporting
    from refunds
    cross join (values ('refund_net'), ('refund_tax')) as parts (component)
),

-- a lost chargeback has its fee, estimated where no settlement tells it
disputed as (
    select
        refunds.*,
        cost_rates.dispute_fee
    from refunds
    cross join cost_rates
    where
        refunds.kind = 'chargeback'
        and refunds.amount_source <> 'settlement'
        and cost_rates.dispute_fee > 0
        and not exists (
            select 1
            from settlement_parts
            where
                settlement_parts.order_key = refunds.order_key
                and settlement_parts.settlement_kind = 'dispute_fee'
        )
),

disputed_lines as (
    {{ spread("disputed", ["connector", "account", "refund_id"], "dispute_fee", "net_amount",
        ["refund_line_key"]) }}
),

dispute_events as (
    select
        disputed_lines.refund_line_key as origin_key,
        'dispute_fee' as component,
        'estimated' as source,
        disputed_lines.order_line_key,
        disputed_lines.return_line_key,
        cast(null as varchar) as reason_l2,
        disputed_lines.account,
        disputed_lines.marketplace,
        disputed_lines.country,
        disputed_lines.sku,
        disputed_lines.refunded_at as event_at,
        disputed_lines.refunded_date as event_date,
        setting.reporting_currency as currency,
        disputed_lines.share as cost_amount
    from disputed_lines
    cross join setting
),

-- refunds of a line at one moment are one posting, whose fees stand beside it in the settlement
postings as (
    select
        order_line_key,
        refunded_at,
        min(refund_line_key) as refund_line_key,
        min(return_line_key) as return_line_key,
        min(kind) as kind,
        min(amount_source) as amount_source,
        min(account) as account,
        min(marketplace) as marketplace,
        min(country) as country,
        min(sku) as sku,
        min(refunded_date) as refunded_date,
        min(currency) as currency,
        sum(net_amount - coalesce(shipping_amount, 0)) as goods_amount
    from {{ ref('fct_refund_line') }}
    where order_line_key <> 'unknown' and not is_duplicate_of_chargeback
    group by order_line_key, refunded_at
),

-- one posting of a known line, else of a settlement, marketplace and SKU
fee_credits as (
    select
        account,
        order_line_key,
        posted_at,
        currency,
        unknown_line,
        min(marketplace) as marketplace,
        min(sku) as sku,
        min(posted_date) as posted_date,
        sum(amount) as fee_credit
    from (
        select
            *,
            case
                when order_line_key = 'unknown'
                    then {{ colon_key(["settlement_id", "marketplace", "sku"]) }}
                else 'none'
            end as unknown_line
        from settlement_parts
        where settlement_kind = 'fee_credit'
    ) as fee_rows
    group by account, order_line_key, posted_at, currency, unknown_line
),

fee_credit_events as (
    select
        {{ colon_key(["fee_credits.account", "fee_credits.order_line_key",
            "fee_credits.unknown_line", "fee_credits.currency",
            "coalesce(" ~ compact_time("fee_credits.posted_at") ~ ", '')"]) }} as origin_key,
        'fee_credit' as component,
        'billed' as source,
        fee_credits.order_line_key,
        postings.return_line_key,
        case
            when postings.return_line_key = 'none' and postings.kind = 'inr'
                then 'logistics.not_received_lost'
        end as reason_l2,
        fee_credits.account,
        fee_credits.marketplace,
        'ZZ' as country,
        fee_credits.sku,
        fee_credits.posted_at as event_at,
        fee_credits.posted_date as event_date,
        fee_credits.currency,
        -fee_credits.fee_credit as cost_amount
    from fee_credits
    left join postings
        on
            fee_credits.order_line_key = postings.order_line_key
            and fee_credits.posted_at = postings.refunded_at
    where coalesce(postings.kind, 'unknown') <> 'cancellation'
),

sale_fees as (
    select
        order_line_key,
        currency,
        -sum(amount) as sale_fee
    from settlement_parts
    where settlement_kind = 'sale_fee' and order_line_key <> 'unknown'
    group by order_line_key, currency
),

-- what the marketplace kept of the fees of the goods paid back; told early, before the settlement,
-- a refund has no fees yet
kept_fee_events as (
    select
        postings.refund_line_key as origin_key,
        'platform_fee_kept' as component,
        'billed' as source,
        postings.order_line_key,
        postings.return_line_key,
        case
            when postings.return_line_key = 'none' and postings.kind = 'inr'
                then 'logistics.not_received_lost'
        end as reason_l2,
        postings.account,
        postings.marketplace,
        postings.country,
        postings.sku,
        postings.refunded_at as event_at,
        postings.refunded_date as event_date,
        postings.currency,
        {{ money("greatest(round(
            cast(sale_fees.sale_fee as double) * least(
                1,
                cast(postings.goods_amount as double) * order_lines.quantity_ordered
                / nullif(
                    cast(order_lines.net_amount as double) * order_lines.quantity_shipped, 0
                )
            ), 4
        ) - coalesce(fee_credits.fee_credit, 0), 0)") }} as cost_amount
    from postings
    inner join order_lines on postings.order_line_key = order_lines.order_line_key
    inner join sale_fees
        on
            postings.order_line_key = sale_fees.order_line_key
            and postings.currency = sale_fees.currency
    left join fee_credits
        on
            postings.order_line_key = fee_credits.order_line_key
            and postings.refunded_at = fee_credits.posted_at
            and postings.currency = fee_credits.currency
    where postings.kind <> 'cancellation' and postings.amount_source = 'settlement'
),

-- from the first day that an account's own report of reimbursements tells, it is the source
reported_since as (
    select
        account,
        cast(min(approved_at) as date) as first_date
    from reimbursements
    group by account
),

settled_events as (
    select
        {{ colon_key(["settlement_parts.account", "settlement_parts.settlement_id",
            "cast(settlement_parts.row_no as varchar)"]) }} as origin_key,
        settlement_parts.settlement_kind as component,
        'billed' as source,
        settlement_parts.order_line_key,
        cast(null as varchar) as return_line_key,
        cast(null as varchar) as reason_l2,
        settlement_parts.account,
        settlement_parts.marketplace,
        'ZZ' as country,
        settlement_parts.sku,
        settlement_parts.posted_at as event_at,
        settlement_parts.posted_date as event_date,
        settlement_parts.currency,
        -settlement_parts.amount as cost_amount
    from settlement_parts
    left join reported_since on settlement_parts.account = reported_since.account
    where
        settlement_parts.settlement_kind in (
            'returns_processing_fee', 'return_shipping', 'dispute_fee'
        )
        or (
            settlement_parts.settlement_kind = 'reimbursement'
            and (
                reported_since.first_date is null
                or cast(settlement_parts.posted_at as date) < reported_since.first_date
            )
        )
),

reimbursement_events as (
    select
        reimbursements.reimbursement_key as origin_key,
        'reimbursement' as component,
        'billed' as source,
        coalesce(time_zones.order_line_key, 'unknown') as order_line_key,
        cast(null as varchar) as return_line_key,
        cast(null as varchar) as reason_l2,
        reimbursements.account,
        'unknown' as marketplace,
        'ZZ' as country,
        coalesce(reimbursements.own_sku, reimbursements.sku, 'none') as sku,
        reimbursements.approved_at as event_at,
        {{ local_date("reimbursements.approved_at", "coalesce(time_zones.time_zone, 'UTC')") }}
            as event_date,
        coalesce(reimbursements.currency, 'unknown') as currency,
        -reimbursements.amount as cost_amount
    from reimbursements
    left join time_zones
        on
            {{ colon_key(["reimbursements.connector", "reimbursements.account",
                "reimbursements.order_id", "reimbursements.sku"]) }}
            = time_zones.order_line_key
),

-- what it costs to get rid of goods that cannot be sold
removal_events as (
    select
        removal_key as origin_key,
        'disposal_fee' as component,
        'billed' as source,
        'unknown' as order_line_key,
        cast(null as varchar) as return_line_key,
        cast(null as varchar) as reason_l2,
        account,
        'unknown' as marketplace,
        'ZZ' as country,
        coalesce(own_sku, sku, 'none') as sku,
        requested_at as event_at,
        cast(requested_at as date) as event_date,
        coalesce(currency, 'unknown') as currency,
        fee_amount as cost_amount
    from removals
    where disposition not in ('sellable', 'unknown')
),

gathered as (
    {%- for origin in [
        "fee_credit_events", "kept_fee_events", "settled_events", "reimbursement_events",
        "removal_events", "dispute_events",
    ] %}
        select
            '{{ origin }}' as origin,
            *,
            cast(null as decimal(18, 4)) as cost_order_rate_reporting
        from {{ origin }}
        union all
    {%- endfor %}
    select
        'refund_events' as origin,
        *
    from refund_events
),

final as (
    select
        origin,
        origin_key,
        component,
        source,
        order_line_key,
        return_line_key,
        reason_l2,
        account,
        marketplace,
        country,
        sku,
        event_at,
        event_date,
        currency,
        {{ money("cost_amount") }} as cost_amount,
        'none' as parcel_key,
        'none' as case_key,
        cost_order_rate_reporting
    from gathered
    where cost_amount <> 0
)

select * from final
