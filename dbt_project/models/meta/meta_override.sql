with

overrides as (
    select * from {{ ref('base_files__overrides') }}
),

in_force as (
    select * from {{ ref('int_override__current') }}
),

-- as it was before any correction
return_lines as (
    select
        return_line_key,
        reason_final,
        disposition
    from {{ ref('int_return_line__evidenced') }}
    where quantity > 0
),

final as (
    select
        overrides.override_id,
        overrides.entity_type,
        overrides.entity_key,
        overrides.field,
        case overrides.field
            when 'reason_final' then return_lines.reason_final
            when 'disposition' then return_lines.disposition
        end as old_value,
        overrides.new_value,
        overrides.author,
        overrides.reason,
        overrides.expires_on,
        in_force.override_id is not null and return_lines.return_line_key is not null
            as is_applied,
        cast(
            case
                when in_force.override_id is not null and return_lines.return_line_key is not null
                    then 1
                else 0
            end as bigint
        ) as rows_changed
    from overrides
    left join in_force on overrides.override_id = in_force.override_id
    left join return_lines on overrides.entity_key = return_lines.return_line_key
)

select * from final
