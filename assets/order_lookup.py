"""Which account of a connector has these orders, as far as the working warehouse knows.

Belongs here: that look-up. Does not belong here: what follows from it (`pipelines/importing.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from assets.raw_tables import RawTable
from assets.warehouse import Warehouse, quoted
from sources._core.connector import Connector


def accounts_of_orders(
    warehouse: Warehouse, connector: Connector, orders: Sequence[str]
) -> Mapping[str, int]:
    """Account -> how many of the orders it has; empty where there is no warehouse yet."""
    counts: Counter[str] = Counter()
    if not orders or connector.downloads is None or not warehouse.path.exists():
        return counts
    with warehouse.connect(read_only=True) as connection:
        stored = connection.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall()
        for download in connector.downloads.reports:
            table = RawTable(connector.name, download.stream)
            if (table.schema, table.stream.name) not in stored:
                continue
            rows = connection.execute(
                f"select _account, count(distinct {quoted(download.order_field)})"
                f" from {quoted(table.schema)}.{quoted(table.stream.name)}"
                f" where {quoted(download.order_field)} in (select unnest(?)) group by 1",
                [list(orders)],
            ).fetchall()
            counts.update(dict(rows))
    return counts
