-- One row per reason code: the list that ships with the program, and by rules of the handle those
-- that the shop's library and its returns have besides. A handle without a rule stays unmapped.
with

listed as (
    select
        {{ normalised_reason_code("raw_code") }} as raw_code,
        reason_l2,
        confidence,
        try_cast(valid_from as date) as valid_from
    from {{ source('raw_shopify', 'reasons') }}
),

handles as (
    select lower(trim(handle)) as handle
    from {{ source('raw_shopify', 'return_reasons') }}
    where handle is not null
    union
    select lower(trim(reason_raw)) as handle
    from {{ ref('base_shopify__return_items') }}
    where reason_raw is not null
),

ruled as (
    select
        {{ normalised_reason_code("handle") }} as raw_code,
        case
            when handle like '%-too-big' then 'fit.too_large'
            when handle like '%-too-small' then 'fit.too_small'
            when
                handle like 'doesnt-fit-%'
                or handle like '%compatib%'
                or handle in ('amperage', 'caliber') then 'description.not_compatible'
            when handle in ('comfort', 'cushioning', 'closure', 'band-rolls-down')
                then 'fit.comfort'
            when handle in ('baby-refused', 'animal-refused') then 'remorse.changed_mind'
            when handle like 'difficult-to-%' then 'remorse.too_difficult'
            when handle = 'compliance' then 'policy.recall'
            when handle in ('absorbency', 'adhesion', 'battery-life', 'connectivity')
                then 'description.performance_expectation'
        end as reason_l2,
        case
            when handle in (
                'compliance', 'absorbency', 'adhesion', 'battery-life', 'connectivity'
            ) then 'weak'
            else 'close'
        end as confidence
    from handles
),

reasons as (
    select distinct
        'shopify' as connector,
        raw_code,
        reason_l2,
        confidence,
        valid_from
    from listed
    union all
    select
        'shopify' as connector,
        raw_code,
        reason_l2,
        confidence,
        cast('2000-01-01' as date) as valid_from
    from ruled
    where ruled.reason_l2 is not null and ruled.raw_code not in (select listed.raw_code from listed)
)

select * from reasons
