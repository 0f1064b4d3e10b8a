"""Parcels on their way, as the last build of the warehouse knows them.

Belongs here: which they are. Does not belong here: who is told of them (`pipelines/night.py`) and
what a tracking service does with them (`sources/tracking/`).
"""

from __future__ import annotations

from assets.warehouse import Connection
from sources._core.connector import OpenParcel

_TABLES = ("int_parcel__measured", "int_parcel_line__linked", "int_order_line__unioned")
_KNOWN = """
    select count(*) from information_schema.tables
    where table_schema = 'intermediate' and table_name in (?, ?, ?)
"""
_OPEN = """
    select
        parcels.carrier,
        parcels.tracking_number,
        min(order_lines.order_id) as order_ref,
        coalesce(cast(parcels.shipped_at as date), parcels.first_seen_date) as sent_on,
        min(order_lines.fulfilled_by) as fulfilled_by
    from intermediate.int_parcel__measured as parcels
    inner join intermediate.int_parcel_line__linked as parcel_lines
        on parcels.parcel_key = parcel_lines.parcel_key
    inner join intermediate.int_order_line__unioned as order_lines
        on parcel_lines.order_key = order_lines.order_key
    where parcels.is_open
    group by parcels.parcel_key, 1, 2, 4
    order by parcels.parcel_key
"""


def open_parcels(connection: Connection) -> list[OpenParcel]:
    """Parcels of orders that have not come to an end; none before the first build."""
    (found,) = connection.execute(_KNOWN, _TABLES).fetchall()[0]
    if found < len(_TABLES):
        return []
    return [OpenParcel(*row) for row in connection.execute(_OPEN).fetchall()]
