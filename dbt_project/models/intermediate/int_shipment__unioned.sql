-- One row per order line, tracking number, direction and time of sending that a marketplace or a
-- file tells, with the carrier in our word.
with

conformed as (
    {{ union_conformed('shipments') }}
),

carriers as (
    select * from {{ ref('base_tracking__carriers') }}
),

refs as (
    select * from {{ ref('int_order_ref__matched') }}
),

order_lines as (
    select * from {{ ref('int_order_line__unioned') }}
),

orders as (
    select
        order_key,
        min(marketplace) as marketplace,
        min(country) as country
    from order_lines
    group by order_key
),

named as (
    select
        conformed.connector,
        conformed.account,
        conformed.marketplace,
        case
            when conformed.conformed_by = 'files' then coalesce(refs.order_id, conformed.order_id)
            else conformed.order_id
        end as order_id,
        conformed.line_id,
        conformed.return_id,
        conformed.quantity,
        coalesce(carriers.carrier, {{ carrier_word("conformed.carrier_raw") }}, 'unknown')
            as carrier,
        coalesce({{ carrier_word("conformed.service_raw") }}, 'unknown') as service,
        {{ tracking_number("conformed.tracking_number") }} as tracking_number,
        conformed.direction,
        conformed.shipped_at,
        conformed.promised_at,
        upper(conformed.origin) as origin,
        upper(conformed.destination) as destination,
        conformed.fulfilment_centre_id,
        conformed.label_amount,
        conformed.label_currency
    from conformed
    left join carriers on {{ carrier_word("conformed.carrier_raw") }} = carriers.word
    left join refs
        on
            conformed.connector = refs.connector
            and conformed.account = refs.account
            and conformed.order_id = refs.order_ref
),

keyed as (
    select
        *,
        {{ colon_key(["connector", "account", "order_id"]) }} as named_order_key,
        {{ colon_key(["connector", "account", "order_id", "line_id"]) }} as named_line_key
    from named
    where tracking_number is not null
),

linked as (
    select
        coalesce(orders.order_key, 'unknown') as order_key,
        order_lines.order_line_key,
        keyed.connector,
        keyed.account,
        coalesce(orders.marketplace, keyed.marketplace, 'unknown') as marketplace,
        keyed.return_id,
        keyed.carrier,
        keyed.tracking_number,
        keyed.direction,
        keyed.service,
        keyed.quantity,
        keyed.shipped_at,
        keyed.promised_at,
        keyed.origin,
        case
            when keyed.direction = 'return' then keyed.destination
            else coalesce(keyed.destination, nullif(orders.country, 'ZZ'))
        end as destination,
        keyed.fulfilment_centre_id,
        keyed.label_amount,
        keyed.label_currency
    from keyed
    left join orders on keyed.named_order_key = orders.order_key
    left join order_lines on keyed.named_line_key = order_lines.order_line_key
),

final as (
    select
        order_key,
        order_line_key,
        connector,
        account,
        marketplace,
        carrier,
        tracking_number,
        direction,
        -- a number that one carrier gave twice is told by the times
        shipped_at,
        min(return_id) as return_id,
        min(service) as service,
        sum(quantity) as quantity,
        max(promised_at) as promised_at,
        min(origin) as origin,
        min(destination) as destination,
        min(fulfilment_centre_id) as fulfilment_centre_id,
        max(label_amount) as label_amount,
        min(label_currency) as label_currency
    from linked
    group by
        order_key, order_line_key, connector, account, marketplace, carrier, tracking_number,
        direction, shipped_at
)

select * from final
