with

days as (
    select day from {{ ref('int_calendar__days') }}
    union all
    select {{ unknown_date() }} as day
),

peaks as (
    select * from {{ ref('peaks') }}
),

return_windows as (
    select * from {{ ref('extended_return_windows') }}
),

peak_days as (
    select
        days.day,
        min(peaks.peak_name) as peak_name
    from days
    inner join peaks on days.day between peaks.first_date and peaks.last_date
    group by days.day
),

window_days as (
    select
        days.day,
        max(return_windows.return_window_end) as return_window_end
    from days
    inner join return_windows
        on days.day between return_windows.first_date and return_windows.last_date
    group by days.day
),

final as (
    select
        days.day as date,
        cast(date_trunc('month', days.day) as date) as month_start,
        cast(date_trunc('quarter', days.day) as date) as quarter_start,
        extract(year from days.day) as year,
        extract(isoyear from days.day) as iso_year,
        extract(week from days.day) as iso_week,
        cast(date_trunc('week', days.day) as date) as week_start,
        {{ days_between("date_trunc('week', days.day)", "days.day") }} + 1 as day_of_week,
        peak_days.peak_name is not null as is_peak,
        peak_days.peak_name,
        window_days.return_window_end
    from days
    left join peak_days on days.day = peak_days.day
    left join window_days on days.day = window_days.day
)

select * from final
