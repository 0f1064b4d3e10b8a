-- One row per refund of an order line. Payment reports say what was paid back, to the cent but
-- late: until one does, returns say it, and the order itself where nothing is sent back.
with

recon as (
    select * from {{ ref('base_walmart__recon') }}
    where lower(transaction_type) like '%refund%' and order_id is not null
),

return_lines as (
    select
        *,
        refunded_quantity * (unit_goods + unit_shipping + unit_tax) as gross
    from {{ ref('base_walmart__return_lines') }}
    where refunded_quantity > 0 and not is_cancelled
),

returned_lines as (
    select distinct
        account,
        order_id,
        line_id
    from {{ ref('base_walmart__return_lines') }}
),

order_lines as (
    select * from {{ ref('base_walmart__order_lines') }}
),

booked_amounts as (
    select
        account,
        settlement_id,
        order_id,
        coalesce(line_id, '1') as line_id,
        sku,
        posted_at,
        currency,
        -amount as paid_back,
        lower(amount_type) as amount_word
    from recon
    where
        amount is not null
        and lower(amount_type) not like '%commission%'
        and lower(amount_type) not like '%fee%'
        and lower(amount_type) not like '%withheld%'
),

booked as (
    select
        account,
        settlement_id || '-' || order_id || '-'
        || coalesce(replace(cast(cast(posted_at as date) as varchar), '-', ''), '') as refund_id,
        order_id,
        line_id,
        max(sku) as sku,
        cast(null as varchar) as return_id,
        posted_at as refunded_at,
        max(currency) as currency,
        sum(case
            when amount_word not like '%tax%' and amount_word not like '%shipping%' then paid_back
            else 0
        end) as goods,
        sum(case
            when amount_word not like '%tax%' and amount_word like '%shipping%' then paid_back
            else 0
        end) as shipping,
        sum(case when amount_word like '%tax%' then paid_back else 0 end) as tax
    from booked_amounts
    group by account, settlement_id, order_id, line_id, posted_at
),

last_booked as (
    select
        account,
        order_id,
        line_id,
        max(cast(refunded_at as date)) as booked_until
    from booked
    group by account, order_id, line_id
),

sums as (
    select
        account,
        return_id,
        sum(gross) as gross
    from return_lines
    group by account, return_id
),

-- charges of one unit times the units, brought to what Walmart says of the return as a whole
returned as (
    select
        return_lines.account,
        return_lines.return_id as refund_id,
        return_lines.line,
        return_lines.order_id,
        return_lines.line_id,
        return_lines.sku,
        return_lines.return_id,
        return_lines.refunded_at,
        return_lines.currency,
        return_lines.refunded_quantity as units,
        return_lines.is_kept,
        case
            when return_lines.total_refund is null or sums.gross = 0 then cast(1 as double)
            else cast(return_lines.total_refund as double) / cast(sums.gross as double)
        end as factor,
        return_lines.refunded_quantity * return_lines.unit_goods as goods,
        return_lines.refunded_quantity * return_lines.unit_shipping as shipping,
        return_lines.refunded_quantity * return_lines.unit_tax as tax
    from return_lines
    inner join sums
        on
            return_lines.account = sums.account
            and return_lines.return_id = sums.return_id
),

charge_parts as (
    select
        account,
        order_id,
        line_id,
        sku,
        refund_id,
        status_at,
        {{ elements("refund_charges") }} as part
    from order_lines
),

order_charges as (
    select
        charge_parts.account,
        coalesce(nullif(trim(charge_parts.refund_id), ''), 'order-' || charge_parts.order_id)
            as refund_id,
        charge_parts.order_id,
        charge_parts.line_id,
        charge_parts.sku,
        charge_parts.status_at as refunded_at,
        {{ bare_letters("charge_parts.part.refundReason") }} as reason,
        charge_parts.part.charge.chargeType as kind,
        charge_parts.part.charge.chargeAmount.currency,
        abs(charge_parts.part.charge.chargeAmount.amount) as amount,
        abs(charge_parts.part.charge.tax.taxAmount.amount) as tax
    from charge_parts
),

ordered as (
    select
        account,
        refund_id,
        order_id,
        line_id,
        max(sku) as sku,
        max(refunded_at) as refunded_at,
        max(currency) as currency,
        max(case
            when reason in ('itemnotreceivedbycustomer', 'merchandisenotreceived') then 'inr'
            when reason in ('financegoodwill', 'financerollback', 'generaladjustment')
                then 'goodwill'
            when reason in ('incorrectshippingprice', 'shippingdeliveryshippingpricediscrepancy')
                then 'shipping_only'
        end) as native_kind,
        sum(case when kind = 'SHIPPING' then 0 else amount end) as goods,
        sum(case when kind = 'SHIPPING' then amount else 0 end) as shipping,
        sum(coalesce(tax, 0)) as tax
    from order_charges
    group by account, refund_id, order_id, line_id
),

told as (
    select
        account,
        refund_id,
        line_id as line,
        order_id,
        line_id,
        sku,
        return_id,
        refunded_at,
        currency,
        cast(null as varchar) as native_kind,
        cast(null as bigint) as units,
        cast(null as boolean) as is_returnless,
        'settlement' as amount_source,
        {{ money("goods") }} as goods,
        {{ money("shipping") }} as shipping,
        {{ money("tax") }} as tax
    from booked
    union all
    select
        returned.account,
        returned.refund_id,
        returned.line,
        returned.order_id,
        returned.line_id,
        returned.sku,
        returned.return_id,
        returned.refunded_at,
        returned.currency,
        cast(null as varchar) as native_kind,
        returned.units,
        case when returned.is_kept then true end as is_returnless,
        'marketplace' as amount_source,
        {{ money("round(cast(returned.goods as double) * returned.factor, 2)") }} as goods,
        {{ money("round(cast(returned.shipping as double) * returned.factor, 2)") }} as shipping,
        {{ money("round(cast(returned.tax as double) * returned.factor, 2)") }} as tax
    from returned
    left join last_booked
        on
            returned.account = last_booked.account
            and returned.order_id = last_booked.order_id
            and returned.line_id = last_booked.line_id
    where
        last_booked.booked_until is null
        or last_booked.booked_until < {{ add_days("cast(returned.refunded_at as date)", "-1") }}
    union all
    select
        ordered.account,
        ordered.refund_id,
        ordered.line_id as line,
        ordered.order_id,
        ordered.line_id,
        ordered.sku,
        cast(null as varchar) as return_id,
        ordered.refunded_at,
        ordered.currency,
        ordered.native_kind,
        cast(null as bigint) as units,
        cast(null as boolean) as is_returnless,
        'marketplace' as amount_source,
        {{ money("ordered.goods") }} as goods,
        {{ money("ordered.shipping") }} as shipping,
        {{ money("ordered.tax") }} as tax
    from ordered
    left join last_booked
        on
            ordered.account = last_booked.account
            and ordered.order_id = last_booked.order_id
            and ordered.line_id = last_booked.line_id
    left join returned_lines
        on
            ordered.account = returned_lines.account
            and ordered.order_id = returned_lines.order_id
            and ordered.line_id = returned_lines.line_id
    where last_booked.account is null and returned_lines.account is null
),

refund_lines as (
    select
        'walmart' as connector,
        account,
        refund_id,
        line,
        order_id,
        line_id,
        coalesce(sku, 'unknown') as sku,
        return_id,
        refunded_at,
        coalesce(currency, 'unknown') as currency,
        {{ money("goods + shipping") }} as net_amount,
        tax as tax_amount,
        shipping as shipping_amount,
        native_kind,
        'original_payment' as refund_method,
        units,
        is_returnless,
        amount_source,
        goods as goods_amount
    from told
    where goods <> 0 or shipping <> 0 or tax <> 0
)

select * from refund_lines
