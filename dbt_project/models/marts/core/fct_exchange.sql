with

exchanges as (
    select * from {{ ref('int_exchange__linked') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

return_lines as (
    select * from {{ ref('int_return_line__resolved') }}
),

skus as (
    select
        sku,
        product_id,
        variant_size,
        size_order
    from {{ ref('dim_sku') }}
),

-- the return that the exchange answers: the one it names, else the first of the line of which a
-- unit ended in its kind
answered as (
    select
        exchanges.new_order_line_key,
        return_lines.return_line_key,
        return_lines.requested_at,
        return_lines.received_at,
        return_lines.reason_final
    from exchanges
    inner join return_lines on exchanges.order_line_key = return_lines.order_line_key
    where
        exchanges.return_line_key = return_lines.return_line_key
        or (
            exchanges.return_line_key is null
            and case
                when exchanges.exchange_kind = 'exchange' then return_lines.units_exchanged
                else return_lines.units_replaced
            end > 0
        )
    qualify row_number() over (
        partition by exchanges.new_order_line_key
        order by return_lines.first_evidence_date, return_lines.return_line_key
    ) = 1
),

joined as (
    select
        exchanges.new_order_line_key as exchange_key,
        exchanges.order_line_key,
        old_lines.order_key,
        coalesce(answered.return_line_key, 'none') as return_line_key,
        old_lines.account,
        old_lines.marketplace,
        old_lines.country,
        old_lines.sku,
        exchanges.exchange_kind,
        exchanges.new_order_line_key,
        exchanges.new_sku,
        exchanges.quantity,
        case
            when exchanges.new_sku = old_lines.sku then 'same'
            when old_sku.product_id is null or new_sku.product_id is null then 'other_product'
            when old_sku.product_id <> new_sku.product_id then 'other_product'
            when new_sku.size_order > old_sku.size_order then 'larger'
            when new_sku.size_order < old_sku.size_order then 'smaller'
            else 'other_variant'
        end as variant_change,
        case
            when exchanges.order_status = 'cancelled' then 'cancelled'
            when exchanges.delivered_at is not null or exchanges.order_status = 'delivered'
                then 'delivered'
            when exchanges.shipped_at is not null then 'shipped'
            when answered.received_at is not null then 'received'
            else 'approved'
        end as exchange_status,
        coalesce(answered.requested_at, exchanges.ordered_at) as requested_at,
        exchanges.ordered_at as approved_at,
        answered.received_at as return_received_at,
        exchanges.shipped_at as replacement_shipped_at,
        exchanges.delivered_at as replacement_delivered_at,
        new_lines.net_amount as new_net_amount,
        new_lines.net_reporting as new_net_reporting,
        old_lines.currency,
        new_lines.reporting_currency,
        coalesce(answered.reason_final, 'unknown.no_reason') as reason_l2
    from exchanges
    inner join order_lines as old_lines on exchanges.order_line_key = old_lines.order_line_key
    inner join order_lines as new_lines on exchanges.new_order_line_key = new_lines.order_line_key
    left join answered on exchanges.new_order_line_key = answered.new_order_line_key
    left join skus as old_sku on old_lines.sku = old_sku.sku
    left join skus as new_sku on exchanges.new_sku = new_sku.sku
),

final as (
    select
        exchange_key,
        order_line_key,
        order_key,
        return_line_key,
        account,
        marketplace,
        country,
        sku,
        exchange_kind,
        new_order_line_key,
        new_sku,
        quantity,
        variant_change,
        exchange_status,
        requested_at,
        approved_at,
        return_received_at,
        replacement_shipped_at,
        replacement_delivered_at,
        case
            when replacement_shipped_at is not null
                then (
                    {{ epoch_microseconds("replacement_shipped_at") }}
                    - {{ epoch_microseconds("requested_at") }}
                ) / 86400000000.0
        end as cycle_days,
        false as is_stuck,
        -- what was charged for the new line beyond the old one, which is paid
        case when exchange_kind = 'exchange' then new_net_amount end as price_difference_amount,
        currency,
        case when exchange_kind = 'exchange' then new_net_reporting end
            as price_difference_reporting,
        cast(null as decimal(18, 4)) as cost_reporting,
        reporting_currency,
        reason_l2
    from joined
)

select * from final
