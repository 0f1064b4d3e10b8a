-- One row per parcel: what its events say of it (milestones, delays, holds, how it ended) and which
-- order and carrier it is of. Computed anew from all events each night, because a status may go
-- backwards and a carrier may rewrite its history.
with

parcels as (
    select * from {{ ref('int_parcel__identified') }}
    where named_carrier = carrier
),

named_parcels as (
    select * from {{ ref('int_parcel__identified') }}
),

events as (
    select * from {{ ref('int_parcel_event__classed') }}
),

parcel_lines as (
    select * from {{ ref('int_parcel_line__linked') }}
),

told as (
    {{ union_conformed('parcels') }}
),

carriers as (
    select * from {{ ref('base_tracking__carriers') }}
),

statuses as (
    select * from {{ ref('base_tracking__statuses') }}
),

order_lines as (
    select * from {{ ref('int_order_line__unioned') }}
),

countries as (
    select * from {{ ref('dim_country') }}
),

setting as (
    select * from {{ source('settings', 'setting') }}
),

-- what services and files say of a parcel besides its events, the most trusted first
told_of as (
    select
        named_parcels.parcel_key,
        told.connector,
        told.account,
        told.direction,
        {{ carrier_word("told.service_raw") }} as service,
        upper(told.origin) as origin,
        upper(told.destination) as destination,
        told.promised_date,
        told.first_estimate_date,
        statuses.milestone,
        statuses.exception_code,
        row_number() over (
            partition by named_parcels.parcel_key
            order by
                {{ tracking_source_rank("told.tracking_source") }},
                told.seen_at,
                told.promised_date,
                told.account
        ) as trust
    from told
    left join carriers on {{ carrier_word("told.carrier_raw") }} = carriers.word
    inner join named_parcels
        on
            coalesce(carriers.carrier, {{ carrier_word("told.carrier_raw") }}, 'unknown')
            = named_parcels.named_carrier
            and {{ tracking_number("told.tracking_number") }} = named_parcels.tracking_number
    left join statuses
        on
            case told.tracking_source
                when 'seventeentrack' then '17track'
                else told.tracking_source
            end = statuses.source
            and {{ status_word("told.native_status") }} = statuses.status_word
            and coalesce({{ status_word("told.native_substatus") }}, '')
            = coalesce(statuses.substatus_word, '')
    where
        (
            told.tracking_source = 'file'
            and told.seen_at between named_parcels.seen_from and named_parcels.seen_until
        )
        or (told.tracking_source <> 'file' and named_parcels.is_latest)
),

told_once as (
    select
        parcel_key,
        min_by(connector, trust) as connector,
        min_by(account, trust) as account,
        min_by(direction, trust) filter (where direction is not null) as direction,
        min_by(service, trust) filter (where service is not null) as service,
        min_by(origin, trust) filter (where origin is not null) as origin,
        min_by(destination, trust) filter (where destination is not null) as destination,
        min_by(promised_date, trust) filter (where promised_date is not null) as promised_date,
        min_by(first_estimate_date, trust) filter (where first_estimate_date is not null)
            as first_estimate_date,
        -- said of the parcel as a whole, by no event: given up, or no such number
        min_by(exception_code, trust) filter (where exception_code in ('STALE', 'BAD_NUMBER'))
            as whole_exception
    from told_of
    group by parcel_key
),

of_orders as (
    select
        parcel_lines.parcel_key,
        min(parcel_lines.order_key) as order_key,
        min_by(parcel_lines.account, parcel_lines.order_key) as account,
        min_by(parcel_lines.marketplace, parcel_lines.order_key) as marketplace,
        min_by(parcel_lines.direction, parcel_lines.direction) as direction,
        min(case when parcel_lines.service <> 'unknown' then parcel_lines.service end) as service,
        min(parcel_lines.shipped_at) as shipped_at,
        -- the buyer's promise is none for the way back
        max(
            case
                when parcel_lines.direction <> 'return'
                    then coalesce(parcel_lines.promised_at, order_lines.promised_at)
            end
        ) as promised_at,
        min(order_lines.ship_by_at) as ship_by_at,
        -- what the marketplace says of all that is in it
        case
            when
                count(order_lines.delivered_at) = count(*)
                and min(parcel_lines.direction) <> 'return'
                then max(order_lines.delivered_at)
        end as told_delivered_at,
        min(parcel_lines.origin) as origin,
        min(parcel_lines.destination) as destination,
        min(nullif(order_lines.country, 'ZZ')) as buyer_country,
        min(coalesce(
            parcel_lines.fulfilment_centre_id, nullif(order_lines.fulfilment_centre_id, 'unknown')
        )) as fulfilment_centre_id,
        max(parcel_lines.label_amount) as label_amount,
        min(parcel_lines.label_currency) as label_currency
    from parcel_lines
    left join order_lines on parcel_lines.order_line_key = order_lines.order_line_key
    group by parcel_lines.parcel_key
),

standing as (
    select
        *,
        -- from the first hold on
        min(case when exception_code = 'CUSTOMS_HOLD' and is_heard then number_in_parcel end)
            over (partition by parcel_key) as hold_no,
        lead(sorted_at) over (partition by parcel_key order by number_in_parcel) as next_at
    from events
    where not is_superseded
),

marked as (
    select
        parcel_key,
        min(connector) as connector,
        min(account) as account,
        max(number_in_parcel) as last_no,
        max(sorted_at) as last_at,
        min(case when milestone = 'LABEL_CREATED' and is_heard then event_at end)
            as label_created_at,
        coalesce(
            min(case when milestone_told = 'ACCEPTED' and is_heard then number_in_parcel end),
            min(
                case
                    when
                        milestone_told <> 'KEEP'
                        and {{ milestone_rank("milestone_told") }} between 30 and 59
                        then number_in_parcel
                end
            )
        ) as accepted_no,
        min(case when milestone_told = 'DEPARTED_ORIGIN' and is_heard then event_at end)
            as departed_origin_at,
        min(case when milestone_told = 'ARRIVED_DESTINATION' and is_heard then event_at end)
            as arrived_destination_at,
        min(case when milestone_told = 'CUSTOMS_CLEARED' and is_heard then event_at end)
            as customs_cleared_at,
        min(
            case
                when (counts_as_attempt or milestone_told = 'DELIVERED') and is_heard then event_at
            end
        ) as first_attempt_at,
        max(case when milestone_told = 'DELIVERED' and is_heard then number_in_parcel end)
            as delivered_no,
        max(case when milestone_told in ('RETURNING', 'RETURNED') then number_in_parcel end)
            as back_no,
        max(case when exception_code = 'LOST' and is_heard then number_in_parcel end) as lost_no,
        max(
            case
                when exception_code is null or exception_code not in ('LOST', 'STALE')
                    then number_in_parcel
            end
        ) as last_scan_no,
        max(case when exception_code is not null and is_heard then number_in_parcel end)
            as last_exception_no,
        max(case when exception_code = 'REFUSED' then number_in_parcel end) as refused_no,
        min(hold_no) as hold_no,
        min(
            case
                when
                    number_in_parcel > hold_no and milestone_told <> 'KEEP'
                    and {{ milestone_rank("milestone_told") }} >= 38
                    then number_in_parcel
            end
        ) as released_no,
        cast(count(case when counts_as_attempt and is_heard then 1 end) as bigint)
            as failed_attempts,
        coalesce(bool_or(exception_code = 'DAMAGED'), false) as is_damaged_scan,
        coalesce(bool_or(exception_code = 'RETURN_TO_SENDER'), false) as goes_back,
        coalesce(bool_or(exception_code = 'ADDRESS_PROBLEM'), false) as has_address_problem,
        coalesce(bool_or(exception_code = 'DESTROYED'), false) as is_destroyed,
        coalesce(bool_or(exception_code in ('PAYMENT_DUE', 'SECURITY_OR_FEES')), false)
            as has_fees
    from standing
    group by parcel_key
),

judged as (
    select
        *,
        coalesce(delivered_no > coalesce(back_no, 0), false) as is_delivered,
        coalesce(lost_no > coalesce(last_scan_no, 0), false) as is_lost
    from marked
),

-- what the events with these numbers hold
timed as (
    select
        judged.parcel_key,
        max(case when standing.number_in_parcel = judged.accepted_no then standing.event_at end)
            as accepted_at,
        max(case when standing.number_in_parcel = judged.delivered_no then standing.event_at end)
            as delivered_at,
        max(case when standing.number_in_parcel = judged.delivered_no then standing.event_date end)
            as delivered_date,
        max(case when standing.number_in_parcel = judged.hold_no then standing.event_at end)
            as hold_at,
        max(case when standing.number_in_parcel = judged.released_no then standing.event_at end)
            as released_at,
        max(case when standing.number_in_parcel = judged.last_no then standing.milestone end)
            as last_milestone,
        max(
            case
                when standing.number_in_parcel = judged.last_exception_no
                    then standing.exception_code
            end
        ) as last_exception,
        bool_or(
            standing.number_in_parcel >= judged.accepted_no
            and standing.number_in_parcel < coalesce(judged.delivered_no, judged.last_no + 1)
            and standing.next_at > standing.sorted_at + interval '7' day
        ) as has_gap
    from judged
    inner join standing on judged.parcel_key = standing.parcel_key
    group by judged.parcel_key
),

placed as (
    select
        parcels.parcel_key,
        parcels.carrier,
        parcels.tracking_number,
        parcels.first_seen_date,
        coalesce(of_orders.order_key, 'unknown') as order_key,
        coalesce(of_orders.account, told_once.account, judged.account, 'unknown') as account,
        coalesce(of_orders.marketplace, 'unknown') as marketplace,
        coalesce(of_orders.direction, told_once.direction, 'outbound') as direction,
        coalesce(of_orders.service, told_once.service, 'unknown') as service,
        of_orders.shipped_at,
        of_orders.promised_at,
        of_orders.ship_by_at,
        of_orders.told_delivered_at,
        of_orders.fulfilment_centre_id,
        of_orders.label_amount,
        of_orders.label_currency,
        coalesce(
            of_orders.origin,
            told_once.origin,
            case when of_orders.direction = 'return' then of_orders.buyer_country end
        ) as origin,
        coalesce(of_orders.destination, told_once.destination) as destination,
        told_once.promised_date as told_promised_date,
        told_once.first_estimate_date,
        told_once.whole_exception,
        judged.last_no is not null or told_once.parcel_key is not null as is_followed,
        judged.last_no,
        judged.last_at,
        judged.label_created_at,
        judged.accepted_no,
        judged.departed_origin_at,
        judged.arrived_destination_at,
        judged.customs_cleared_at,
        judged.first_attempt_at,
        judged.last_exception_no,
        judged.refused_no,
        judged.hold_no,
        judged.released_no,
        judged.failed_attempts,
        judged.is_damaged_scan,
        judged.goes_back,
        judged.has_address_problem,
        judged.is_destroyed,
        judged.has_fees,
        coalesce(
            judged.is_delivered, of_orders.told_delivered_at is not null
        ) as is_delivered,
        judged.is_lost,
        timed.accepted_at,
        -- of a parcel that nobody scans the marketplace is heard
        case
            when judged.last_no is null then of_orders.told_delivered_at
            else timed.delivered_at
        end as delivered_at,
        timed.delivered_date,
        timed.hold_at,
        timed.released_at,
        timed.last_milestone,
        timed.last_exception,
        timed.has_gap,
        setting.presumed_lost_days,
        setting.presumed_lost_days_express
    from parcels
    left join of_orders on parcels.parcel_key = of_orders.parcel_key
    left join told_once on parcels.parcel_key = told_once.parcel_key
    left join judged on parcels.parcel_key = judged.parcel_key
    left join timed on parcels.parcel_key = timed.parcel_key
    cross join setting
),

zoned as (
    select
        placed.*,
        coalesce(origins.country, 'ZZ') as origin_country,
        coalesce(destinations.country, 'ZZ') as destination_country,
        coalesce(destinations.time_zone, 'UTC') as destination_zone,
        regexp_matches(placed.service, 'express|expedited|overnight|next_day')
        or (
            coalesce(carriers.is_express, false)
            and not regexp_matches(placed.service, 'ground|economy|standard|surepost|smartpost')
        ) as is_express,
        placed.is_delivered as was_delivered,
        coalesce(placed.goes_back, false) and not placed.is_delivered as is_returned_to_sender,
        case when not placed.is_delivered then placed.whole_exception end as standing_exception
    from placed
    left join countries as origins on placed.origin = origins.country
    left join countries as destinations on placed.destination = destinations.country
    left join carriers
        on placed.carrier = carriers.carrier and carriers.word = carriers.carrier
),

ended as (
    select
        *,
        case
            when was_delivered then null
            when is_lost then 'lost'
            when is_returned_to_sender or refused_no = last_exception_no or is_destroyed
                then
                    case
                        when refused_no is not null then 'refused'
                        when has_address_problem then 'address'
                        when hold_no is not null and released_no is null then 'customs'
                        when hold_no is not null and is_destroyed then 'customs'
                        when is_destroyed then 'lost'
                        else 'returned_other'
                    end
        end as undelivered_kind,
        coalesce(
            {{ local_date("promised_at", "destination_zone") }},
            told_promised_date,
            first_estimate_date
        ) as promised_date,
        case
            when delivered_at is not null and destination_country <> 'ZZ'
                then {{ local_date("delivered_at", "destination_zone") }}
            else delivered_date
        end as delivered_on,
        case when is_express then presumed_lost_days_express else presumed_lost_days end
            as presumed_lost_after
    from zoned
),

open_or_not as (
    select
        *,
        not was_delivered
        and undelivered_kind is null
        and standing_exception is null
        and coalesce(last_milestone, 'UNKNOWN') not in ('RETURNED', 'CLOSED') as is_open
    from ended
),

final as (
    select
        parcel_key,
        order_key,
        account,
        marketplace,
        carrier,
        service,
        tracking_number,
        first_seen_date,
        direction,
        origin_country as origin,
        destination_country as destination,
        coalesce(fulfilment_centre_id, 'unknown') as fulfilment_centre_id,
        shipped_at,
        last_at,
        case
            when was_delivered then 'DELIVERED'
            when standing_exception = 'STALE' then 'CLOSED'
            else coalesce(last_milestone, 'UNKNOWN')
        end as milestone,
        coalesce(standing_exception, last_exception) as exception_code,
        label_created_at,
        accepted_at,
        departed_origin_at,
        arrived_destination_at,
        customs_cleared_at,
        first_attempt_at,
        case when was_delivered then delivered_at end as delivered_at,
        case when was_delivered then delivered_on end as delivered_date,
        ship_by_at,
        promised_date,
        case
            when was_delivered then {{ days_between("promised_date", "delivered_on") }}
            -- nothing is known of one that nobody tells of
            when undelivered_kind is null and is_followed
                then
                    {{ days_between(
                        "promised_date", local_date(as_of_at(), "destination_zone")
                    ) }}
        end as days_late,
        case
            when was_delivered then {{ days_to_hundredths("accepted_at", "delivered_at") }}
        end as transit_days,
        failed_attempts,
        case
            when hold_no is not null
                then {{ hours_between(
                    "hold_at",
                    "case when released_no is null then " ~ as_of_at() ~ " else released_at end"
                ) }}
        end as customs_hold_hours,
        coalesce(is_lost, false) as is_lost,
        coalesce(
            is_open
            and accepted_no is not null
            and last_at < {{ as_of_at() }} - presumed_lost_after * interval '1' day,
            false
        ) as is_presumed_lost,
        coalesce(is_damaged_scan, false) as is_damaged_scan,
        is_returned_to_sender,
        undelivered_kind,
        coalesce(has_gap, false)
        or coalesce(
            is_open
            and accepted_no is not null
            and last_at < {{ as_of_at() }} - interval '7' day,
            false
        ) as has_tracking_gap,
        coalesce(
            has_fees and (refused_no is not null or is_returned_to_sender), false
        ) as is_duty_dispute,
        label_amount,
        label_currency,
        is_express,
        is_open
    from open_or_not
)

select * from final
