"""A seller's raw tables at any size, straight in SQL: two years of orders of three own shops.

Belongs here: what happened to each order line (a pure function of its number), and the rows that
the warehouse has of it at a moment. Does not belong here: nights and their measurement
(`one_day.py`, `increment.py`).

One line in twelve comes back, one in twenty-five is cancelled; refunds, payouts, inspections of
half of the returns, ten lots a SKU with their receipts, scanned lots for one line in twenty.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from assets.control import insert_rows
from assets.warehouse import Connection, literal

# Ends within a month: the first night of one writes the whole publication anew, one in thirty does.
START = datetime(2024, 1, 15)  # noqa: DTZ001 - as the raw tables hold instants: UTC, not said
DAYS = 730
LINES_PER_SKU = 500

_FACTS = """
    create or replace temp table facts as
    with numbered as (
        select
            range as i,
            range - range % 4 // 3 as o,
            hash(range, 1) / 18446744073709551615.0 as u1,
            hash(range, 2) / 18446744073709551615.0 as u2,
            hash(range, 3) / 18446744073709551615.0 as u3,
            hash(range - range % 4 // 3, 4) / 18446744073709551615.0 as v
        from range({first}, {last})
    ),
    ordered as (
        select
            *,
            'o' || lpad(cast(o as varchar), 10, '0') as order_ref,
            cast(1 + i - o as varchar) as line_ref,
            'SKU-' || lpad(cast(cast(floor({skus} * u1 * u1 * u1) as bigint) as varchar), 6, '0')
                as sku,
            ['shop_de', 'shop_us', 'shop_gb'][1 + cast(floor(3 * v) as int)] as channel,
            ['EUR', 'USD', 'GBP'][1 + cast(floor(3 * v) as int)] as currency,
            ['DE', 'US', 'GB', 'FR', 'AT', 'CA', 'IE', 'NL'][1 + cast(floor(24 * v) as int) % 8]
                as country,
            1 + cast(u2 < 0.1 as int) as quantity,
            cast(8 + floor(9000 * u1) / 100 as decimal(18, 4)) as unit_price,
            timestamp {start} + to_microseconds(cast(o * {step} as bigint)) as ordered_at
        from numbered
    )
    select
        *,
        u3 < 0.04 as is_cancelled,
        u3 > 0.9166 as is_returned,
        ordered_at + to_hours(cast(12 + floor(36 * u2) as int)) as shipped_at,
        ordered_at + to_hours(cast(72 + floor(120 * u2) as int)) as delivered_at,
        ordered_at + to_hours(cast(200 + floor(500 * u2) as int)) as requested_at,
        ordered_at + to_hours(cast(350 + floor(500 * u2) as int)) as received_at,
        ordered_at + to_hours(cast(370 + floor(520 * u2) as int)) as refunded_at
    from ordered
"""

# what the files say at the moment {now}; each with the moment at which the row came or last changed
_ROWS = {
    "orders": """
        select
            order_ref || ':' || line_ref as _key,
            case
                when is_cancelled and shipped_at <= {now} then shipped_at
                when delivered_at <= {now} and not is_cancelled then delivered_at
                when shipped_at <= {now} and not is_cancelled then shipped_at
                else ordered_at
            end as changed_at,
            channel, order_ref, line_ref, sku, ordered_at, country, quantity, unit_price, currency,
            false as tax_included, cast(0 as decimal(18, 4)) as discount_amount,
            case
                when is_cancelled and shipped_at <= {now} then 'cancelled'
                when is_cancelled or shipped_at > {now} then 'open'
                when delivered_at <= {now} then 'delivered'
                else 'shipped'
            end as status,
            ordered_at as paid_at,
            case when shipped_at <= {now} and not is_cancelled then shipped_at end as shipped_at,
            ordered_at + to_days(6) as promised_at,
            case when delivered_at <= {now} and not is_cancelled then delivered_at end
                as delivered_at,
            case when shipped_at <= {now} and is_cancelled then shipped_at end as cancelled_at,
            md5(cast(o // 2 % 3000000 as varchar)) as customer_ref,
            false as is_replacement
        from facts
        where ordered_at <= {now}
    """,
    "returns": """
        select
            'r' || order_ref || ':' || line_ref as _key,
            case when received_at <= {now} then received_at else requested_at end as changed_at,
            channel, 'r' || order_ref || line_ref as return_ref, order_ref, line_ref, sku,
            cast(1 as bigint) as quantity, requested_at,
            case when received_at <= {now} then received_at end as received_at,
            case when received_at <= {now} then 'received' else 'requested' end as status,
            ['defective', 'too small', 'not as described', 'no longer needed'][
                1 + cast(i % 4 as int)
            ] as reason_code
        from facts
        where requested_at <= {now} and is_returned and not is_cancelled
    """,
    "refunds": """
        select
            'f' || order_ref || ':' || line_ref as _key, refunded_at as changed_at,
            channel, 'f' || order_ref || line_ref as refund_ref, order_ref, line_ref, sku,
            refunded_at, unit_price as amount, currency, 'r' || order_ref || line_ref as return_ref,
            cast(1 as bigint) as quantity, false as tax_included
        from facts
        where refunded_at <= {now} and is_returned and not is_cancelled
    """,
    "return_inspections": """
        select
            'i' || order_ref || ':' || line_ref as _key, received_at + to_hours(5) as changed_at,
            channel, 'i' || order_ref || line_ref as inspection_id,
            'r' || order_ref || line_ref as return_ref, order_ref, sku, received_at,
            received_at + to_hours(5) as inspected_at, cast(1 as bigint) as quantity,
            ['A', 'B', 'D'][1 + cast(i % 3 as int)] as grade,
            case when i % 3 = 2 then 'no_power' end as defect_code
        from facts
        where received_at + to_hours(5) <= {now} and is_returned and not is_cancelled and i % 2 = 0
    """,
    "lot_allocations": """
        select
            's' || order_ref || ':' || line_ref as _key, shipped_at as changed_at,
            channel, order_ref, sku,
            sku || '-L' || lpad(
                cast(1 + date_diff('day', timestamp {start}, ordered_at) // 73 as varchar), 2, '0'
            ) as lot_id,
            cast(quantity as bigint) as quantity, shipped_at
        from facts
        where shipped_at <= {now} and not is_cancelled and i % 20 = 0
    """,
    "settlements": """
        select
            'p' || order_ref || ':' || line_ref || kind as _key, posted_at as changed_at,
            channel, strftime(posted_at, '%Y-%m-%d') || channel as settlement_ref,
            i * 3 + number as row_no, posted_at, kind as transaction_type, amount, currency,
            order_ref, sku
        from (
            select
                *,
                unnest(['order', 'commission', 'refund']) as kind,
                unnest([0, 1, 2]) as number,
                unnest([unit_price * quantity, -0.15 * unit_price * quantity, -unit_price])
                    as amount,
                unnest([shipped_at, shipped_at, case when is_returned then refunded_at end])
                    as posted_at
            from facts
            where not is_cancelled
        )
        where posted_at <= {now}
    """,
}

_LOTS = """
    create or replace temp table lots as
    select
        'SKU-' || lpad(cast(s as varchar), 6, '0') as sku,
        'SKU-' || lpad(cast(s as varchar), 6, '0') || '-L' || lpad(cast(n as varchar), 2, '0')
            as lot_id,
        timestamp {start} + to_days(cast((n - 1) * 73 - 40 as int)) as arrived_at,
        -- a SKU's share of the demand, cut into ten
        cast(ceil(
            {lines} * 1.1 / 10 * (power((s + 1) / {skus}, 1 / 3.0) - power(s / {skus}, 1 / 3.0))
        ) as bigint) as quantity
    from range(cast({skus} as bigint)) as t(s), range(1, 11) as l(n)
"""

_LISTS = {
    "products": """
        select distinct
            sku as _key, sku, sku as sku_name,
            'category ' || right(sku, 1) as category, 'supplier ' || right(sku, 1) as supplier_id,
            cast(6 as decimal(18, 4)) as unit_landed_cost, 'EUR' as currency
        from lots
    """,
    "purchase_batches": """
        select
            lot_id as _key, lot_id, sku, 'supplier ' || right(sku, 1) as supplier_id,
            cast(arrived_at - to_days(30) as date) as production_date,
            quantity as quantity_produced,
            cast(5 as decimal(18, 4)) as unit_cost, 'EUR' as currency
        from lots
    """,
    "goods_receipts": """
        select
            lot_id as _key, lot_id as receipt_id, cast(1 as bigint) as line_no,
            'main' as fulfilment_centre_id, 'DE' as country, lot_id, sku, arrived_at as received_at,
            quantity as quantity_received
        from lots
    """,
    "warehouses": "select 'main' as _key, 'main' as fulfilment_centre_id, 'DE' as country",
}

_RATES = """
    insert into raw_fx.ecb_rates by name
    select
        'fx' as _account, strftime(day, '%Y-%m-%d') || currency as _key, 'bench' as _file,
        cast({now} as timestamp) as _first_seen_at, cast({now} as timestamp) as _changed_at,
        cast(day as date) as rate_date, currency,
        cast(round(1 + (date_diff('day', date '2024-01-01', day) % 90) / 1000.0, 4) as varchar)
            as units_per_eur
    from generate_series({first}, {last}, interval '1' day) as days(day),
        (values ('USD'), ('GBP')) as currencies(currency)
"""


def end() -> datetime:
    """Of the history; the increment is the day after."""
    return START + timedelta(days=DAYS)


def fill(connection: Connection, lines: int) -> None:
    """Everything that was known at the end of the history, which holds `lines` order lines."""
    now = end()
    _facts(connection, lines, 0)
    connection.execute(_LOTS.format(start=literal(str(START)), lines=lines, skus=_skus(lines)))
    for name, rows in _LISTS.items():
        _insert(connection, name, rows, now)
    for name, rows in _ROWS.items():
        told = rows.format(now=_at(now), start=literal(str(START)))
        _insert(connection, name, f"select * exclude (changed_at) from ({told})", now)
    connection.execute(
        _RATES.format(
            now=literal(str(now)),
            first="date '2023-06-01'",
            last=f"date {literal(str(now.date()))}",
        )
    )
    _loaded(connection, now)


def add_day(connection: Connection, lines: int) -> None:
    """What one more day brings: rows that are new or changed since the end of the history."""
    before, now = end(), end() + timedelta(days=1)
    _facts(connection, lines, lines - lines * 90 // DAYS)
    for name, rows in _ROWS.items():
        told = rows.format(now=_at(now), start=literal(str(START)))
        connection.execute(
            f"create or replace temp table brought as select * from ({told})"
            f" where changed_at > {_at(before)}"
        )
        connection.execute(
            f'delete from raw_files."{name}" where _key in (select _key from brought)'
        )
        _insert(connection, name, "select * exclude (changed_at) from brought", now)
    connection.execute(
        _RATES.format(
            now=literal(str(now)),
            first=f"date {literal(str(now.date()))}",
            last=f"date {literal(str(now.date()))}",
        )
    )
    _loaded(connection, now)


def _skus(lines: int) -> float:
    return float(max(lines // LINES_PER_SKU, 1))


def _at(moment: datetime) -> str:
    return f"timestamp {literal(str(moment))}"


def _facts(connection: Connection, lines: int, first: int) -> None:
    """One more day's lines than the history has."""
    connection.execute(
        _FACTS.format(
            first=first // 4 * 4,
            last=lines + lines // DAYS,
            skus=_skus(lines),
            start=literal(str(START)),
            step=DAYS * 86_400_000_000 / lines,
        )
    )


def _insert(connection: Connection, name: str, rows: str, now: datetime) -> None:
    connection.execute(
        f'insert into raw_files."{name}" by name'
        " select *, 'files' as _account, _key as _hash, 'bench' as _file,"
        f" {_at(now)} as _first_seen_at, {_at(now)} as _changed_at from ({rows})"
    )


def _loaded(connection: Connection, now: datetime) -> None:
    """As the load would record it, so that data count as complete up to this moment."""
    streams = [("files", name) for name in (*_ROWS, *_LISTS)] + [("fx", "ecb_rates")]
    for connector, stream in streams:
        place = {"connector": connector, "account": connector, "stream": stream}
        name = f"{stream}-{now:%Y%m%d}"
        file = {"file_hash": name, "file_name": name, "as_of_at": now, "rows_loaded": 1}
        insert_rows(connection, "load.file", [place | file | {"file_state": "loaded"}])
        insert_rows(
            connection,
            "load.cursor",
            [place | {"cursor_at": now}],
            "on conflict do update set cursor_at = excluded.cursor_at",
        )
