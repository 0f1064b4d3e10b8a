-- One row per item that a buyer says did not arrive, and per case on which eBay decides unless it
-- only repeats such a request. A case about a return stands beside that return.
with

inquiries as (
    select * from {{ source('raw_ebay', 'inquiries') }}
),

raw_cases as (
    select * from {{ source('raw_ebay', 'cases') }}
),

lines as (
    select * from {{ ref('base_ebay__lines') }}
),

requests as (
    select
        inquiries._account as account,
        inquiries.inquiryId as case_id,
        coalesce(inquiries.orderId, inquiries.legacyOrderId) as order_ref,
        inquiries.itemId as item_id,
        inquiries.transactionId as transaction_id,
        inquiries.marketplaceId as marketplace_id,
        inquiries.customerKey as customer_key,
        'ITEM_NOT_RECEIVED' as topic_raw,
        coalesce(inquiries.status, inquiries.state) as native_status,
        {{ iso_timestamp("inquiries.creationDate") }} as opened_at,
        {{ iso_timestamp("inquiries.closedDate") }} as closed_at,
        inquiryHistoryDetails.history as entries
    from inquiries
),

decided as (
    select
        raw_cases._account as account,
        raw_cases.caseId as case_id,
        coalesce(raw_cases.orderId, raw_cases.legacyOrderId) as order_ref,
        raw_cases.itemId as item_id,
        raw_cases.transactionId as transaction_id,
        raw_cases.marketplaceId as marketplace_id,
        raw_cases.customerKey as customer_key,
        coalesce(raw_cases.caseType, 'UNKNOWN') as topic_raw,
        coalesce(raw_cases.status, raw_cases.state) as native_status,
        {{ iso_timestamp("raw_cases.creationDate") }} as opened_at,
        {{ iso_timestamp("raw_cases.closedDate") }} as closed_at,
        caseHistoryDetails.history as entries
    from raw_cases
),

repeated as (
    select distinct
        decided.account,
        decided.case_id,
        requests.case_id as inquiry_id
    from decided
    inner join requests
        on
            decided.account = requests.account
            and (
                decided.case_id = requests.case_id
                or (
                    decided.topic_raw = 'ITEM_NOT_RECEIVED'
                    and decided.item_id = requests.item_id
                    and decided.transaction_id = requests.transaction_id
                )
            )
),

escalated as (
    select distinct
        account,
        inquiry_id
    from repeated
),

incidents as (
    select
        requests.*,
        coalesce(requests.native_status = 'CLOSED_WITH_ESCALATION', false)
        or escalated.inquiry_id is not null as is_escalated
    from requests
    left join escalated
        on requests.account = escalated.account and requests.case_id = escalated.inquiry_id
    union all
    select
        decided.*,
        true as is_escalated
    from decided
    where not exists (
        select 1
        from repeated
        where repeated.account = decided.account and repeated.case_id = decided.case_id
    )
),

entry_parts as (
    select
        account,
        case_id,
        {{ elements("entries") }} as entry
    from incidents
),

talks as (
    select
        entry_parts.account,
        entry_parts.case_id,
        min(
            case
                when upper(entry.actor) = 'SELLER' then {{ iso_timestamp("entry.date") }}
            end
        ) as first_reply_at,
        max({{ iso_timestamp("entry.date") }}) as last_at,
        coalesce(bool_or(upper(entry.action) like '%REFUND%'), false) as is_paid_back
    from entry_parts
    group by entry_parts.account, entry_parts.case_id
),

matched as (
    select
        incidents.account,
        incidents.case_id,
        lines.line_id,
        lines.order_id,
        lines.sku,
        lines.marketplace
    from incidents
    inner join lines
        on
            incidents.account = lines.account
            and (
                incidents.transaction_id = lines.line_id
                or (
                    incidents.item_id = lines.item_id
                    and incidents.order_ref in (lines.order_id, lines.legacy_order_id)
                )
            )
    qualify
        row_number() over (
            partition by incidents.account, incidents.case_id
            order by
                case when incidents.transaction_id = lines.line_id then 0 else 1 end,
                length(lines.line_id), lines.line_id
        ) = 1
),

cases as (
    select
        'ebay' as connector,
        incidents.account,
        'marketplace' as case_source,
        incidents.case_id,
        coalesce(matched.marketplace, {{ ebay_marketplace("incidents.marketplace_id") }})
            as marketplace,
        coalesce(matched.order_id, incidents.order_ref) as order_ref,
        matched.line_id as line_ref,
        matched.sku as sku_ref,
        coalesce(incidents.customer_key, 'unknown') as customer_key,
        cast(null as varchar) as team_ref,
        cast(null as varchar) as agent,
        'claim' as case_type,
        incidents.topic_raw,
        case when incidents.topic_raw = 'ITEM_NOT_RECEIVED' then 'ITEM_NOT_RECEIVED' end
            as reason_raw,
        case
            when incidents.native_status in ('CLOSED', 'CLOSED_WITH_ESCALATION', 'CS_CLOSED')
                then 'closed'
            when incidents.native_status like 'WAITING%' then 'waiting'
            else 'open'
        end as case_status,
        incidents.opened_at,
        talks.first_reply_at,
        case when talks.first_reply_at is not null then 'agent' else 'none' end as first_reply_by,
        cast(null as double) as first_response_business_hours,
        case
            when incidents.native_status in ('CLOSED', 'CLOSED_WITH_ESCALATION', 'CS_CLOSED')
                then coalesce(incidents.closed_at, talks.last_at)
        end as resolved_at,
        cast(null as bigint) as reopened_count,
        cast(null as bigint) as contacts,
        cast(null as bigint) as agent_replies,
        cast(null as bigint) as messages_in,
        cast(null as bigint) as messages_out,
        case when talks.first_reply_at is null then incidents.opened_at end as waiting_since,
        cast(null as varchar) as decision,
        case when incidents.is_escalated then 'marketplace_case' else 'none' end as escalated_to,
        case
            when not incidents.is_escalated then 'none'
            when
                incidents.native_status not in ('CLOSED', 'CLOSED_WITH_ESCALATION', 'CS_CLOSED')
                then 'open'
            when talks.is_paid_back then 'buyer'
            -- without a history nobody knows
            when not talks.is_paid_back then 'seller'
        end as escalation_result,
        cast(null as varchar) as outcome,
        cast(null as timestamp) as csat_asked_at,
        cast(null as timestamp) as csat_answered_at,
        cast(null as double) as csat_score,
        cast(null as double) as csat_scale,
        cast(null as boolean) as is_csat_positive,
        cast(null as varchar) as comment_hash
    from incidents
    left join talks
        on incidents.account = talks.account and incidents.case_id = talks.case_id
    left join matched
        on incidents.account = matched.account and incidents.case_id = matched.case_id
)

select * from cases
