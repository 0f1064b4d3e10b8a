-- One row per event of a parcel: what several sources or legs say of one minute in the same sense
-- is one event. Milestones and exceptions are ours; an event whose status tells no milestone keeps
-- that of the event before. `number_in_parcel` is the order of events that still stand.
with

events as (
    {{ union_conformed('parcel_events') }}
),

carriers as (
    select * from {{ ref('base_tracking__carriers') }}
),

statuses as (
    select * from {{ ref('base_tracking__statuses') }}
),

parcels as (
    select * from {{ ref('int_parcel__identified') }}
),

countries as (
    select * from {{ ref('dim_country') }}
),

worded as (
    select
        events.connector,
        events.account,
        events.tracking_source,
        {{ tracking_source_rank("events.tracking_source") }} as source_rank,
        case events.tracking_source
            when 'seventeentrack' then '17track'
            when 'marketplace' then events.connector
            else events.tracking_source
        end as status_source,
        coalesce(carriers.carrier, {{ carrier_word("events.carrier_raw") }}, 'unknown')
            as named_carrier,
        {{ tracking_number("events.tracking_number") }} as tracking_number,
        events.event_at,
        coalesce(
            events.event_date,
            {{ local_date("events.event_at", "coalesce(countries.time_zone, 'UTC')") }}
        ) as event_date,
        coalesce(events.event_at, cast(events.event_date as timestamp)) as seen_at,
        events.native_status,
        events.native_substatus,
        {{ status_word("events.native_status") }} as status_word,
        {{ status_word("events.native_substatus") }} as substatus_word,
        events.native_text,
        coalesce(countries.country, 'ZZ') as event_country,
        coalesce(events.leg, 'unknown') as leg,
        events.is_superseded
    from events
    left join carriers on {{ carrier_word("events.carrier_raw") }} = carriers.word
    left join countries on events.country = countries.country
),

meant as (
    select
        worded.*,
        coalesce(exact.milestone, general.milestone, 'KEEP') as milestone_meant,
        case
            when worded.status_word is null then null
            when exact.status_word is not null then exact.exception_code
            when general.status_word is not null and worded.substatus_word is null
                then general.exception_code
            else coalesce(general.exception_code, 'OTHER')
        end as exception_meant,
        coalesce(exact.counts_as_attempt, general.counts_as_attempt, false) as counts_as_attempt,
        worded.status_word is not null
        and exact.status_word is null
        and (general.status_word is null or worded.substatus_word is not null) as is_unmapped,
        {{ says_back_to_sender("worded.native_text") }} as is_back_to_sender
    from worded
    left join statuses as exact
        on
            worded.status_source = exact.source
            and worded.status_word = exact.status_word
            and coalesce(worded.substatus_word, '') = coalesce(exact.substatus_word, '')
    left join statuses as general
        on
            worded.status_source = general.source
            and worded.status_word = general.status_word
            and general.substatus_word is null
),

classed as (
    select
        parcels.parcel_key,
        meant.*,
        case
            when meant.milestone_meant = 'DELIVERED' and meant.is_back_to_sender then 'RETURNED'
            else meant.milestone_meant
        end as milestone_told,
        case
            when meant.milestone_meant = 'DELIVERED' and meant.is_back_to_sender
                then 'RETURN_TO_SENDER'
            else meant.exception_meant
        end as exception_code
    from meant
    inner join parcels
        on
            meant.named_carrier = parcels.named_carrier
            and meant.tracking_number = parcels.tracking_number
            and meant.seen_at between parcels.seen_from and parcels.seen_until
),

hashed as (
    select
        *,
        md5(
            parcel_key
            || '|' || coalesce(
                cast(date_trunc('minute', event_at) as varchar), cast(event_date as varchar)
            )
            || '|' || milestone_told
            || '|' || coalesce(exception_code, '')
            || '|' || event_country
            -- without a class only the text tells one event from another
            || case
                when status_word is null or is_unmapped
                    then '|' || coalesce(status_word, '') || '|' || coalesce(native_text, '')
                else ''
            end
        ) as event_id
    from classed
),

collapsed as (
    select
        *,
        min(case when is_superseded then 1 else 0 end) over (
            partition by parcel_key, event_id
        ) = 1 as is_withdrawn
    from hashed
    qualify
        row_number() over (
            partition by parcel_key, event_id
            order by
                case when is_superseded then 1 else 0 end,
                source_rank,
                event_at,
                leg,
                native_status,
                native_substatus,
                native_text
        ) = 1
),

ordered as (
    select
        *,
        coalesce(event_at, cast(event_date as timestamp) + interval '12' hour) as sorted_at,
        case when milestone_told <> 'KEEP' and not is_withdrawn then 1 else 0 end as tells_milestone
    from collapsed
),

grouped as (
    select
        *,
        row_number() over (
            partition by parcel_key, is_withdrawn
            order by sorted_at, {{ milestone_rank("milestone_told") }}, event_id
        ) as number_in_parcel,
        sum(tells_milestone) over (
            partition by parcel_key
            order by sorted_at, {{ milestone_rank("milestone_told") }}, event_id
            rows between unbounded preceding and current row
        ) as stretch
    from ordered
),

final as (
    select
        parcel_key,
        event_id,
        connector,
        account,
        event_at,
        event_date,
        sorted_at,
        number_in_parcel,
        case
            when milestone_told <> 'KEEP' then milestone_told
            else coalesce(
                max(case when tells_milestone = 1 then milestone_told end) over (
                    partition by parcel_key, stretch
                ),
                'UNKNOWN'
            )
        end as milestone,
        milestone_told,
        exception_code,
        counts_as_attempt and not is_back_to_sender as counts_as_attempt,
        leg,
        event_country,
        native_status,
        native_substatus,
        tracking_source,
        status_source,
        is_withdrawn as is_superseded,
        -- of sources that say the same of a parcel the most trusted one is heard
        not is_withdrawn
        and source_rank = min(case when not is_withdrawn then source_rank end) over (
            partition by parcel_key, milestone_told, exception_code
        ) as is_heard,
        is_unmapped
    from grouped
)

select * from final
