-- One row per pool of stock (SKU and stock pool): what its moves are tonight, in one text, and
-- whether its lots have to be allocated anew. A pool whose moves are those of the last build keeps
-- its rows in int_lot_allocation__by_pool; a new version of the code allocates all of them.
with

moves as (
    select * from {{ ref('int_lot_move__pooled') }}
),

setting as (
    select coalesce(code_version, 'unknown') as code_version
    from {{ source('settings', 'setting') }}
),

described as (
    select
        pool_key,
        at_us,
        kind,
        sequence,
        lot_key,
        concat_ws(
            '|', at_us, kind, sequence, lot_key, expiry_day, quantity, order_line_key
        ) as description
    from moves
),

pools as (
    select
        pool_key,
        md5(string_agg(md5(description), '' order by at_us, kind, sequence, lot_key)) as moves_hash
    from described
    group by pool_key
),

stored as (
    {{ stored_pool_fingerprints('int_lot_allocation__by_pool') }}
),

final as (
    select
        pools.pool_key,
        row_number() over (order by pools.pool_key) as pool_no,
        md5(pools.moves_hash || '|' || setting.code_version) as pool_fingerprint,
        stored.pool_key is null as is_touched
    from pools
    cross join setting
    left join stored
        on
            pools.pool_key = stored.pool_key
            and md5(pools.moves_hash || '|' || setting.code_version) = stored.pool_fingerprint
)

select * from final
