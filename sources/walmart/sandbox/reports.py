"""Reports on request: asked for, made, fetched from an address that ends after 18 minutes.

Belongs here: the cycle and the contents. A request's number says what was asked, so that a night
can fetch what the night before asked for.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import msgspec

from sources._core.clock import Clock
from sources._sandbox.server import Request, Response

from .answers import ApiError, moment, wrong
from .snapshot import Snapshot

Object = dict[str, Any]
TYPES = (
    "ITEM", "ITEM_PERFORMANCE", "RETURN_ITEM_OVERRIDES", "CANCELLATION", "DELIVERY_DEFECT",
    "INVENTORY", "WFS_CUSTOMER_RETURNS", "WFS_ORDERS", "SETTLEMENT", "INVENTORY_RECON",
)  # fmt: skip
_LIVES_S = 18 * 60
_MADE_AFTER = timedelta(minutes=20)
_RETURNS = (
    "Customer Order #", "Purchase Order #", "PO Line #", "Return Order #", "SKU", "Item Name",
    "Return Reason", "Return Date", "Received Date", "Quantity",
)  # fmt: skip


@dataclass
class Reports:
    """All requests of all stores."""

    clock: Clock
    is_slow: bool
    _polls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _links: dict[str, tuple[str, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def ask(self, account: str, query: dict[str, str]) -> Object:
        """Type and version are parameters of the address; in the body nobody looks for them."""
        kind, version = query.get("reportType"), query.get("reportVersion")
        if kind not in TYPES or not version:
            raise wrong("reportType", "reportType and reportVersion must be valid parameters")
        at = self.clock.now().astimezone(UTC)
        content = [account, kind, version, at.isoformat()]
        number = base64.urlsafe_b64encode(msgspec.json.encode(content)).decode().rstrip("=")
        return self._shown(number, content) | {"requestStatus": "RECEIVED"}

    def _content(self, account: str, number: str) -> list[str]:
        try:
            text = base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))
            content: list[str] = msgspec.json.decode(text, type=list[str])
        except (binascii.Error, msgspec.DecodeError, ValueError) as error:
            raise self._unknown(number) from error
        if len(content) != 4 or content[0] != account:
            raise self._unknown(number)
        return content

    @staticmethod
    def _unknown(number: str) -> ApiError:
        return ApiError(404, "CONTENT_NOT_FOUND.REPORTS_API", f"No request {number}", "requestId")

    def _shown(self, number: str, content: list[str]) -> Object:
        return {
            "requestId": number,
            "requestStatus": self._status(number, content),
            "requestSubmissionDate": moment(datetime.fromisoformat(content[3])),
            "reportType": content[1],
            "reportVersion": content[2],
        }

    def _status(self, number: str, content: list[str]) -> str:
        """Slow: ready after its time. Fast: ready when it is asked for the second time."""
        asked = datetime.fromisoformat(content[3])
        is_old = self.clock.now() - asked >= _MADE_AFTER
        if is_old or (not self.is_slow and self._polls[number] > 1):
            return "READY"
        return "INPROGRESS"

    def status(self, account: str, number: str) -> Object:
        content = self._content(account, number)
        with self._lock:
            self._polls[number] += 1
        return self._shown(number, content)

    def link(self, account: str, number: str, origin: str) -> Object:
        """`GET /v3/reports/downloadReport`."""
        content = self._content(account, number)
        if self._status(number, content) != "READY":
            raise ApiError(404, "CONTENT_NOT_FOUND.REPORTS_API", "The report is not ready")
        ends_at = self.clock.monotonic() + _LIVES_S
        with self._lock:
            name = f"{len(self._links) + 1:06d}"
            self._links[name] = (number, ends_at)
        until = self.clock.now().astimezone(UTC) + timedelta(seconds=_LIVES_S)
        return self._shown(number, content) | {
            "downloadURL": f"{origin}/report-store/{name}.zip?sig={number[:12]}",
            "downloadURLExpirationTime": moment(until),
        }

    def download(self, request: Request, name: str) -> tuple[str, str] | Response:
        """Store and type of a file that may be fetched; the address alone opens it."""
        number, ends_at = self._links.get(name, ("", 0.0))
        if not number or self.clock.monotonic() >= ends_at:
            return Response(403, b"<Error><Code>AccessDenied</Code></Error>")
        text = base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))
        content = msgspec.json.decode(text, type=list[str])
        return content[0], content[1]


def packed(kind: str, known: Snapshot) -> bytes:
    """The file of a type: one CSV in a ZIP; types that tell nothing have a header only."""
    rows = _wfs_returns(known) if kind == "WFS_CUSTOMER_RETURNS" else []
    text = io.StringIO()
    writer = csv.DictWriter(text, _RETURNS)
    writer.writeheader()
    writer.writerows(rows)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{kind}.csv", (2026, 1, 1, 0, 0, 0)), text.getvalue())
    return content.getvalue()


def _wfs_returns(known: Snapshot) -> list[Object]:
    """Returns of what Walmart sent from its own centres."""
    found = []
    for number, rows in known.returns.items():
        order = known.orders[number]
        if order["fulfilled_by"] != "marketplace":
            continue
        for row in rows:
            line, is_in = known.line_of(row), known.reached(row["received_at"])
            found.append(
                {
                    "Customer Order #": order["order_number"],
                    "Purchase Order #": number,
                    "PO Line #": row["line_no"],
                    "Return Order #": row["return_id"],
                    "SKU": line["listing_sku"],
                    "Item Name": line["sku_name"],
                    "Return Reason": row["reason_code"],
                    "Return Date": f"{row['requested_at']:%m/%d/%Y}",
                    "Received Date": f"{row['received_at']:%m/%d/%Y}" if is_in else "",
                    "Quantity": row["quantity"],
                }
            )
    return found
