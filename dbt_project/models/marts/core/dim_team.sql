with

teams as (
    select
        team,
        coalesce(team_name, team) as team_name,
        coalesce(team_kind, 'service') as team_kind,
        coalesce(time_zone, 'UTC') as time_zone,
        coalesce(calendar, 'none') as calendar
    from {{ source('settings', 'team') }}
),

reserved as (
    select
        member as team,
        member as team_name,
        member as team_kind,
        'UTC' as time_zone,
        member as calendar
    from {{ reserved_members() }}
),

final as (
    select * from teams
    union all
    select * from reserved
)

select * from final
