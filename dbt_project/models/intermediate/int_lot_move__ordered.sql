-- One row per move of stock in the pools that have to be walked through tonight, with the small
-- numbers that the walk (assets/lots.py) works with.
with

moves as (
    select * from {{ ref('int_lot_move__pooled') }}
),

pools as (
    select * from {{ ref('int_lot_pool__fingerprinted') }}
    where is_touched
),

lots as (
    select * from {{ ref('int_lot__numbered') }}
),

issues as (
    select * from {{ ref('int_lot_issue__numbered') }}
),

final as (
    select
        pools.pool_no,
        moves.at_us,
        moves.kind,
        moves.sequence,
        cast(coalesce(lots.lot_no, -1) as bigint) as lot_no,
        moves.expiry_day,
        moves.quantity,
        cast(coalesce(issues.issue_no, -1) as bigint) as issue_no
    from moves
    inner join pools on moves.pool_key = pools.pool_key
    left join lots on moves.lot_key = lots.lot_key
    left join issues on moves.order_line_key = issues.order_line_key
)

select * from final
