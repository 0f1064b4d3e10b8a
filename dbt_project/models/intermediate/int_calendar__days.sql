-- One row per day from the first to the last that the data can concern.
with

span as (
    select * from {{ ref('int_calendar__spanned') }}
),

numbers as (
    {{ integers(40000) }}
),

final as (
    select
        {{ add_days("span.first_day", "numbers.i") }} as day,
        span.as_of_day
    from span
    cross join numbers
    where numbers.i <= {{ days_between("span.first_day", "span.last_day") }}
)

select * from final
