"""Returns changed in a window, and once more those to Walmart's own warehouses.

Belongs here: what is asked for. Does not belong here: paging (`lists.py`), which fields of a return
are kept (`return_records.py`).
Both ends of a window are sent: the start alone is refused. In Mexico no filter by last change is
known: each night reads all returns of the last half year there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from sources._core.connector import Page, Reject, StreamContext, Window

from .client import WalmartClient
from .config import RETURNS_A_PAGE, RETURNS_PATH
from .lists import Listed, Listing, Meta
from .refusals import BadRequestError
from .times import api_time

_CURSOR_PATH = f"{RETURNS_PATH}/cursor"
_FEW_A_PAGE = 100  # the most that the Mexican API takes
_WFS = {"isWFSEnabled": "Y"}


class _Answer(msgspec.Struct, rename="camel"):
    return_orders: list[msgspec.Raw] | None = None
    meta: Meta | None = None


_decode = msgspec.json.Decoder(_Answer).decode


def cut_returns(content: bytes) -> Listed:
    found = _decode(content)
    meta = found.meta or Meta()
    return Listed(found.return_orders or (), meta.total_count, meta.next_cursor)


def read_returns(context: StreamContext, window: Window) -> Iterator[Page]:
    client: WalmartClient = context.client
    params = _params(context, window)
    path = _CURSOR_PATH if client.account.market == "mx" else RETURNS_PATH
    yield from Listing("returns", path, params, "returns", cut_returns).pages(client)
    if not client.account.wfs_returns:
        return
    listing = Listing("returns", path, {**params, **_WFS}, "returns to WFS", cut_returns)
    try:
        yield from listing.pages(client)
    except BadRequestError as error:
        yield Page((), listing.ref, rejects=(_not_offered(error),))


def _params(context: StreamContext, window: Window) -> Mapping[str, str]:
    if context.client.account.market != "mx":
        return {
            "returnLastModifiedStartDate": api_time(window.start),
            "returnLastModifiedEndDate": api_time(window.end),
            "replacementInfo": "true",
            "limit": str(RETURNS_A_PAGE),
        }
    start = window.start
    if window.is_last:
        start = min(start, window.end - context.client.account.orders_reach)
    return {
        "returnCreationStartDate": api_time(start),
        "returnCreationEndDate": api_time(window.end),
        "limit": str(_FEW_A_PAGE),
    }


def _not_offered(error: BadRequestError) -> Reject:
    advice = (
        f"Walmart does not take isWFSEnabled here ({error}): set wfs_returns = false for this "
        "account if it does not use Walmart's warehouses"
    )
    return Reject("wfs_returns_not_offered", 0, advice, "returns to WFS")
