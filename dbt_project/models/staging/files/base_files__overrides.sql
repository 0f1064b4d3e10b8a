-- One row per correction of the seller's files.
with

source as (
    select * from {{ source('raw_files', 'overrides') }}
),

overrides as (
    select
        override_id,
        entity_type,
        entity_key,
        field,
        value as new_value,
        author,
        reason,
        expires_on
    from source
)

select * from overrides
