-- One row per return: it is about one line. eBay does not tell in which state goods came back.
with

refunds as (
    select
        account,
        reference_id,
        sum(amount) as amount
    from {{ ref('base_ebay__refunds') }}
    where reference_id is not null
    group by account, reference_id
),

-- the return tells its refund, or the refund names its return
returns as (
    select
        returned.*,
        returned.refunded_amount > 0 or coalesce(refunds.amount, 0) > 0 as is_paid_back
    from {{ ref('base_ebay__returns') }} as returned
    left join refunds
        on returned.account = refunds.account and returned.return_id = refunds.reference_id
),

return_lines as (
    select
        'ebay' as connector,
        account,
        return_id,
        '1' as line,
        order_id,
        line_id,
        sku,
        quantity,
        requested_at,
        received_at,
        cast(null as timestamp) as graded_at,
        case
            when received_at is not null then 'received'
            when return_state = 'CLOSED' then 'closed'
            when return_state = 'RETURN_REJECTED' then 'denied'
            when return_state = 'ITEM_SHIPPED' then 'in_transit'
            when
                return_state in ('ITEM_READY_TO_SHIP', 'READY_FOR_SHIPPING')
                or return_state like 'RETURN\_LABEL\_%' escape '\'
                or return_state like 'RMA\_%' escape '\' then 'authorised'
            else 'requested'
        end as native_status,
        case
            when
                is_replacement
                and (
                    return_state = 'REPLACED'
                    or (return_state = 'CLOSED' and received_at is not null)
                ) then 'replacement'
            when
                return_state = 'CLOSED'
                and received_at is not null
                and not is_paid_back
                and not is_replacement then 'none'
        end as native_resolution,
        reason_raw,
        'unknown' as disposition,
        md5(buyer_comment) as comment_hash,
        coalesce(
            return_state = 'CLOSED'
            and received_at is null
            and not is_paid_back
            and not is_replacement,
            false
        ) as is_closed_without_goods
    from returns
)

select * from return_lines
