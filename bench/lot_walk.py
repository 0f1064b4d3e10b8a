"""A seller's stock moves, `n` order lines over two years, walked through by the product's own code.

20,000 SKUs of skewed demand in three pools, lots of 300 to 700 units, one in twelve units back.
"""

from __future__ import annotations

import sys

import duckdb

from assets import lots

MOVES = """
    with sold as (
        select
            cast(floor(20000 * power(random(), 3)) * 3 + range % 3 as bigint) as pool_no,
            cast(random() * 730 * 86400 as bigint) * 1000000 as at_us,
            range as issue_no,
            cast(1 + (random() < 0.1)::int as bigint) as quantity
        from range($lines)
    ),
    issues as (
        select pool_no, at_us, 3::bigint as kind, issue_no::varchar as sequence,
            -1::bigint as lot_no, null::bigint as expiry_day, quantity, issue_no
        from sold
    ),
    pools as (select pool_no, sum(quantity)::bigint as units from sold group by pool_no),
    receipts as (
        select pool_no, number * 730 * 86400000000 // (units // 500 + 1) as at_us,
            1::bigint as kind, number::varchar as sequence, pool_no * 10000 + number as lot_no,
            case when pool_no % 5 = 0 then 20000 + number end as expiry_day,
            (300 + (pool_no * 7 + number * 131) % 400)::bigint as quantity, -1::bigint as issue_no
        from pools, range(cast(units // 500 + 1 as bigint)) as numbers(number)
    ),
    returned as (
        select pool_no, at_us + 20 * 86400000000 as at_us, 2::bigint as kind,
            issue_no::varchar as sequence, -1::bigint as lot_no, null::bigint as expiry_day,
            1::bigint as quantity, issue_no
        from sold where issue_no % 12 = 0
    )
    select * from issues union all select * from receipts union all select * from returned
    order by pool_no, at_us, kind, sequence
"""


def main(lines: int) -> None:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("select setseed(0.5)")
        moves = connection.sql(MOVES, params={"lines": lines})
        print(lots.allocate(moves.to_arrow_reader(100_000)).num_rows)


if __name__ == "__main__":
    main(int(sys.argv[1]))
