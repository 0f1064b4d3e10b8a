-- One row per charge of a carrier's bill and order line that bears a part of it, in cents by
-- largest remainder: by units in the parcel; of an order whose lines in it nobody tells by net
-- value. A charge of a number that no source tells, and of no known order, has one row without a
-- line.
with

told as (
    {{ union_conformed('parcel_costs') }}
),

bills as (
    select
        *,
        {{ colon_key(["account", "carrier_raw", "tracking_number", "charge_type",
            "coalesce(bill_ref, '')"]) }} as bill_key
    from told
),

carriers as (
    select * from {{ ref('base_tracking__carriers') }}
),

named_parcels as (
    select * from {{ ref('int_parcel__identified') }}
),

parcels as (
    select * from {{ ref('int_parcel__measured') }}
),

parcel_lines as (
    select * from {{ ref('fct_parcel_line') }}
),

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

named_orders as (
    {{ orders_by_name() }}
),

fx_rates as (
    select * from {{ ref('int_fx_rate__daily') }}
),

-- a bill comes after the scans: it is of the last parcel of its number that had begun
matched as (
    select
        bills.*,
        named_parcels.parcel_key
    from bills
    left join carriers on {{ carrier_word("bills.carrier_raw") }} = carriers.word
    left join named_parcels
        on
            coalesce(carriers.carrier, {{ carrier_word("bills.carrier_raw") }}, 'unknown')
            = named_parcels.named_carrier
            and {{ tracking_number("bills.tracking_number") }} = named_parcels.tracking_number
    qualify
        row_number() over (
            partition by bills.bill_key
            order by
                case
                    when named_parcels.seen_from <= bills.billed_at + interval '1' day then 0
                    else 1
                end,
                abs({{ hours_between("named_parcels.seen_from", "bills.billed_at") }}),
                named_parcels.parcel_key
        ) = 1
),

-- what is of no order by its parcel is of the one that the bill names
placed as (
    select
        matched.*,
        coalesce(parcels.account, 'unknown') as parcel_account,
        coalesce(parcels.marketplace, 'unknown') as parcel_marketplace,
        case
            when parcels.direction is not null then parcels.direction
            when matched.charge_type = 'return' then 'return'
            else 'outbound'
        end as direction,
        coalesce(nullif(parcels.order_key, 'unknown'), named_orders.order_key) as order_key
    from matched
    left join parcels on matched.parcel_key = parcels.parcel_key
    left join named_orders on matched.order_ref = named_orders.order_ref
),

in_parcel as (
    select
        parcel_key,
        order_line_key,
        case
            when
                count(quantity) over (partition by parcel_key)
                = count(*) over (partition by parcel_key)
                and sum(quantity) over (partition by parcel_key) > 0
                then cast(quantity as decimal(18, 4))
            else 1
        end as weight
    from parcel_lines
),

of_lines as (
    select
        placed.*,
        in_parcel.order_line_key,
        in_parcel.weight
    from placed
    inner join in_parcel on placed.parcel_key = in_parcel.parcel_key
),

of_orders as (
    select
        placed.*,
        order_lines.order_line_key,
        cast(order_lines.net_amount as decimal(18, 4)) as weight
    from placed
    left join in_parcel on placed.parcel_key = in_parcel.parcel_key
    inner join order_lines on placed.order_key = order_lines.order_key
    where in_parcel.parcel_key is null
    -- the shipped lines of the order; all of them where none was shipped
    qualify
        order_lines.quantity_shipped > 0
        or max(order_lines.quantity_shipped) over (partition by placed.bill_key) = 0
),

borne as (
    select * from of_lines
    union all
    select * from of_orders
),

spread_bills as (
    {{ spread("borne", ["bill_key"], "amount", "weight", ["order_line_key"]) }}
),

-- what is less than a cent goes to the first line
parts as (
    select
        *,
        share + case
            when row_number() over (partition by bill_key order by order_line_key) = 1
                then amount - round(amount, 2)
            else 0
        end as part_amount
    from spread_bills
),

of_nobody as (
    select * from placed
    where bill_key not in (select parts.bill_key from parts)
),

gathered as (
    select
        bill_key,
        account,
        tracking_number,
        charge_type,
        parcel_key,
        direction,
        parcel_account,
        parcel_marketplace,
        order_line_key,
        billed_at,
        currency,
        part_amount as amount
    from parts
    union all
    select
        bill_key,
        account,
        tracking_number,
        charge_type,
        parcel_key,
        direction,
        parcel_account,
        parcel_marketplace,
        'unknown' as order_line_key,
        billed_at,
        currency,
        amount
    from of_nobody
),

final as (
    select
        gathered.bill_key,
        gathered.account,
        gathered.tracking_number,
        gathered.charge_type,
        coalesce(gathered.parcel_key, 'unknown') as parcel_key,
        gathered.direction,
        gathered.parcel_account,
        gathered.parcel_marketplace,
        gathered.order_line_key,
        gathered.billed_at,
        cast(gathered.billed_at as date) as billed_date,
        gathered.currency,
        {{ money("gathered.amount") }} as amount,
        {{ money("gathered.amount * fx_rates.rate_to_reporting") }} as amount_reporting
    from gathered
    left join fx_rates
        on
            cast(gathered.billed_at as date) = fx_rates.rate_date
            and gathered.currency = fx_rates.currency
    where gathered.amount <> 0
)

select * from final
