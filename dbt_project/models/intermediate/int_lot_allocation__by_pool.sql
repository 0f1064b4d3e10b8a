{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='pool_key',
    post_hook="
        delete from {{ this }}
        where not exists (
            select 1
            from {{ ref('int_lot_pool__fingerprinted') }} as pools
            where
                pools.pool_key = {{ this }}.pool_key
                and pools.pool_fingerprint = {{ this }}.pool_fingerprint
        )
    "
) }}

-- One row per ordered line and lot: units that were scanned, and units that the method of the
-- pool gives, with the LIFO variant beside it. Units of no lot stand under unattributed. Only pools
-- whose moves changed since the last build are allocated and replaced.
with

issues as (
    select * from {{ ref('int_lot_issue__numbered') }}
),

estimated as (
    select * from {{ ref('int_lot_allocation__estimated') }}
),

scans as (
    select * from {{ ref('int_lot_scan__matched') }}
),

pools as (
    select * from {{ ref('int_lot_pool__fingerprinted') }}
    where is_touched
),

lots as (
    select * from {{ ref('int_lot__numbered') }}
),

parts as (
    select
        issues.order_line_key,
        coalesce(lots.lot_key, {{ key_part("issues.sku") }} || '|unattributed') as lot_key,
        estimated.quantity,
        estimated.quantity_lifo,
        case
            when estimated.lot_no < 0 then 5
            when estimated.method_no = 0 then 2
            when estimated.method_no = 1 then 3
            else 4
        end as method_rank,
        estimated.is_early
    from estimated
    inner join issues on estimated.issue_no = issues.issue_no
    left join lots on estimated.lot_no = lots.lot_no
    union all
    select
        scans.order_line_key,
        scans.lot_key,
        scans.quantity,
        scans.quantity as quantity_lifo,
        1 as method_rank,
        0 as is_early
    from scans
),

by_method as (
    select
        order_line_key,
        lot_key,
        method_rank,
        sum(quantity) as quantity,
        sum(quantity_lifo) as quantity_lifo,
        max(is_early) as is_early
    from parts
    group by order_line_key, lot_key, method_rank
),

-- a lot both scanned and estimated on one line: the method of most units
combined as (
    select
        order_line_key,
        lot_key,
        cast(sum(quantity) as bigint) as quantity,
        cast(sum(quantity_lifo) as bigint) as quantity_lifo,
        min_by(method_rank, -quantity * 10 + method_rank) as method_rank,
        max(is_early) = 1 as time_violation
    from by_method
    group by order_line_key, lot_key
),

final as (
    select
        pools.pool_key,
        pools.pool_fingerprint,
        combined.order_line_key,
        combined.lot_key,
        combined.quantity,
        combined.quantity_lifo,
        case combined.method_rank
            when 1 then 'scanned'
            when 2 then 'single_lot'
            when 3 then 'fefo_estimate'
            when 4 then 'fifo_estimate'
            else 'unattributed'
        end as allocation_method,
        combined.time_violation
    from combined
    inner join issues on combined.order_line_key = issues.order_line_key
    inner join pools on issues.pool_key = pools.pool_key
)

select * from final
