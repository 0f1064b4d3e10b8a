with

owed as (
    select * from {{ ref('int_reimbursement__due') }}
),

refunds_without_goods as (
    select * from {{ ref('int_refund_without_return__summed') }}
),

unmapped_codes as (
    select * from {{ ref('int_unmapped_code__listed') }}
),

cases as (
    select * from {{ ref('fct_case') }}
),

order_lines as (
    select * from {{ ref('fct_order_line') }}
),

windows as (
    select * from {{ ref('claim_windows') }}
),

setting as (
    select reporting_currency from {{ source('settings', 'setting') }}
),

-- K10, unit by unit. Where the unit's cost is not known its net price stands in, and is said to.
leads as (
    select
        owed.order_line_key,
        order_lines.connector,
        owed.units_due,
        owed.due_date,
        owed.due_at as opened_at,
        owed.units_damaged,
        owed.units_not_back,
        owed.reimbursed_reporting,
        owed.due_reporting is null as is_estimated,
        case
            when owed.due_reporting is not null then owed.gap_reporting
            when order_lines.net_reporting is not null and order_lines.quantity_ordered > 0
                then greatest({{ money("owed.units_due * order_lines.net_reporting
                    / order_lines.quantity_ordered - owed.reimbursed_reporting") }}, 0)
        end as gap
    from owed
    inner join order_lines on owed.order_line_key = order_lines.order_line_key
),

reimbursement_leads as (
    select
        'reimbursement_lead' as queue,
        'order_line' as entity_type,
        leads.order_line_key as entity_key,
        leads.order_line_key,
        'none' as case_key,
        case
            when leads.units_damaged > 0
                then leads.units_damaged || ' unit(s) damaged in the marketplace''s hands'
            else ''
        end
        || case when leads.units_damaged > 0 and leads.units_not_back > 0 then '; ' else '' end
        || case
            when leads.units_not_back > 0
                then leads.units_not_back || ' unit(s) refunded, not back after 45 days'
            else ''
        end
        || case
            when leads.is_estimated then ', unit cost not known: valued at the net price' else ''
        end as reason_en,
        case
            when leads.units_damaged > 0 then leads.units_damaged || ' 件在平台仓库或运输中损坏'
            else ''
        end
        || case when leads.units_damaged > 0 and leads.units_not_back > 0 then '；' else '' end
        || case
            when leads.units_not_back > 0
                then leads.units_not_back || ' 件已退款，45 天后仍未退回'
            else ''
        end
        || case when leads.is_estimated then '；单件成本未知，按净售价估算' else '' end as reason_zh,
        leads.units_due as units,
        leads.gap as money_at_stake,
        cast(leads.opened_at as timestamp) as opened_at,
        cast({{ add_days("leads.due_date", "windows.days") }} as timestamp) as due_at,
        case when coalesce(leads.gap, 1) > 0 then 'open' else 'done' end as action_state,
        'finance' as owner_role
    from leads
    left join windows
        on
            leads.connector = windows.connector
            and windows.claim_kind
            = case when leads.units_damaged > 0 then 'damaged' else 'not_returned' end
            and leads.due_date >= windows.valid_from
            and (leads.due_date < windows.valid_to or windows.valid_to is null)
),

refund_actions as (
    select
        'refund_without_return' as queue,
        'order_line' as entity_type,
        refunds_without_goods.order_line_key as entity_key,
        refunds_without_goods.order_line_key,
        'none' as case_key,
        refunds_without_goods.units || ' unit(s) refunded in full, goods not received'
            as reason_en,
        refunds_without_goods.units || ' 件已全额退款，未收到退货' as reason_zh,
        refunds_without_goods.units,
        refunds_without_goods.refunded_reporting as money_at_stake,
        refunds_without_goods.first_refunded_at as opened_at,
        cast(null as timestamp) as due_at,
        case
            when
                owed.reimbursed_reporting > 0
                and owed.due_reporting is not null
                and owed.gap_reporting = 0
                then 'done'
            else 'open'
        end as action_state,
        'finance' as owner_role
    from refunds_without_goods
    left join owed on refunds_without_goods.order_line_key = owed.order_line_key
),

code_actions as (
    select
        'unmapped_code' as queue,
        'code' as entity_type,
        connector || '|' || field || '|' || coalesce(raw_code, 'none') as entity_key,
        'none' as order_line_key,
        'none' as case_key,
        rows || ' row(s) of ' || connector || ' carry ' || field || ' '
        || coalesce(raw_code, 'none') || ', which no list maps' as reason_en,
        connector || ' 有 ' || rows || ' 行的 ' || field || ' 代码 ' || coalesce(raw_code, 'none')
        || ' 尚未映射' as reason_zh,
        rows as units,
        cast(null as decimal(18, 4)) as money_at_stake,
        cast(first_seen_date as timestamp) as opened_at,
        cast(null as timestamp) as due_at,
        'open' as action_state,
        'data' as owner_role
    from unmapped_codes
),

case_actions as (
    select
        'unlinked_case' as queue,
        'case' as entity_type,
        case_key as entity_key,
        'unknown' as order_line_key,
        case_key,
        'Case ' || case_id || ' names no order' as reason_en,
        '工单 ' || case_id || ' 未关联订单' as reason_zh,
        cast(null as bigint) as units,
        cast(null as decimal(18, 4)) as money_at_stake,
        opened_at,
        cast(null as timestamp) as due_at,
        'open' as action_state,
        'service' as owner_role
    from cases
    where order_key = 'unknown'
),

actions as (
    select * from reimbursement_leads
    union all
    select * from refund_actions
    union all
    select * from code_actions
    union all
    select * from case_actions
),

final as (
    select
        md5(actions.queue || '|' || actions.entity_type || '|' || actions.entity_key) as action_id,
        actions.queue,
        actions.entity_type,
        actions.entity_key,
        coalesce(order_lines.account, cases.account, 'all') as account,
        coalesce(order_lines.marketplace, cases.marketplace, 'all') as marketplace,
        coalesce(order_lines.country, cases.country, 'all') as country,
        coalesce(order_lines.order_key, cases.order_key, 'none') as order_key,
        actions.order_line_key,
        coalesce(order_lines.sku, cases.sku, 'none') as sku,
        'none' as lot_key,
        actions.case_key,
        'none' as feedback_key,
        actions.reason_en,
        actions.reason_zh,
        cast(actions.units as bigint) as units,
        cast(actions.money_at_stake as decimal(18, 4)) as money_at_stake,
        setting.reporting_currency,
        actions.owner_role,
        actions.opened_at,
        actions.due_at,
        -- 1: money with a deadline within two weeks; 2: money owed, codes that count wrongly
        cast(case
            when
                actions.due_at >= {{ as_of_at() }}
                and actions.due_at < {{ as_of_at() }} + interval '14' day
                then 1
            when actions.queue in ('reimbursement_lead', 'unmapped_code') then 2
            else 3
        end as bigint) as priority,
        actions.action_state,
        'none' as alert_id,
        actions.queue as playbook_id,
        actions.queue as evidence_query_id
    from actions
    cross join setting
    left join order_lines on actions.order_line_key = order_lines.order_line_key
    left join cases on actions.case_key = cases.case_key
)

select * from final
