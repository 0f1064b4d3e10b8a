-- One row per corrected field of an entity: the correction that is in force tonight. Of several the
-- one with the last number counts, X10 after X9; a value that the field cannot have corrects
-- nothing.
with

overrides as (
    select * from {{ ref('base_files__overrides') }}
),

reasons as (
    select reason_l2 from {{ ref('dim_reason') }}
),

valid as (
    select overrides.*
    from overrides
    left join reasons on overrides.new_value = reasons.reason_l2
    where
        (overrides.expires_on is null or overrides.expires_on > {{ as_of_date() }})
        and case overrides.field
            when 'reason_final'
                then reasons.reason_l2 is not null and overrides.new_value like '%.%'
            else overrides.new_value in (
                'sellable', 'defective', 'customer_damaged', 'carrier_damaged',
                'warehouse_damaged', 'expired', 'missing'
            )
        end
),

final as (
    select
        override_id,
        entity_type,
        entity_key,
        field,
        new_value
    from valid
    qualify
        row_number() over (
            partition by entity_type, entity_key, field
            order by length(override_id) desc, override_id desc
        ) = 1
)

select * from final
