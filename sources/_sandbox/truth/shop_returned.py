"""Returns and refunds of the seller's own shops as Shopify shows them at a clock.

Belongs here: rows of returns and refunds under the names of the facts, lost disputes included. Does
not belong here: what became of units (`outcomes.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

import polars as pl

from sources._sandbox.truth.chargebacks import chargeback
from sources._sandbox.truth.reader import NONE, UNKNOWN, Line, Reader, Row, key
from sources._sandbox.truth.returned import Refund, Return, text_hash
from sources._sandbox.truth.shop_lines import ShopLines, shop_id, spread
from sources._sandbox.world.comments import meaning_of

REASONS = {
    "color": "description.colour_material",
    "damaged-or-defective": "product_defect.functional",
    "item-not-as-described": "description.not_as_described",
    "too-big": "fit.too_large",
    "too-small": "fit.too_small",
    "style": "remorse.style_preference",
    "changed-my-mind": "remorse.changed_mind",
    "received-the-wrong-item": "fulfilment.wrong_item",
    "other-reason": "unknown.other",
    "unknown": "unknown.no_reason",
    "arrived-late": "logistics.late",
    "doesnt-fit-device": "description.not_compatible",
    "comfort": "fit.comfort",
    "difficult-to-clean": "remorse.too_difficult",
    "absorbency": "description.performance_expectation",
    "COLOR": "description.colour_material",
    "DEFECTIVE": "product_defect.functional",
    "NOT_AS_DESCRIBED": "description.not_as_described",
    "SIZE_TOO_LARGE": "fit.too_large",
    "SIZE_TOO_SMALL": "fit.too_small",
    "STYLE": "remorse.style_preference",
    "UNWANTED": "remorse.changed_mind",
    "WRONG_ITEM": "fulfilment.wrong_item",
    "OTHER": "unknown.other",
    "UNKNOWN": "unknown.no_reason",
}
"""What the words that the simulated buyers pick mean (metrics.md 4.4)."""

_STATUS = {"DECLINED": "denied", "CANCELED": "cancelled"}
_GRADED = ("RESTOCKED", "NOT_RESTOCKED")
_WORDS = {"RESTOCKED": "SELLABLE"}


@dataclass(frozen=True)
class ShopBack:
    """Reads the returns and refunds of all Shopify accounts."""

    reader: Reader
    lines: dict[str, Line]

    @property
    def shop(self) -> ShopLines:
        return self.reader.shop

    def _reached(self, at: datetime | None) -> bool:
        return at is not None and at <= self.reader.clock

    def _line(self, account: str, order_id: str, line_id: str) -> Line | None:
        return self.lines.get(key("shopify", account, order_id, line_id))

    def _line_ids(self) -> dict[tuple[str, int], str]:
        return {
            (order_id, row["line_no"]): shop_id(row["order_item_id"])
            for order_id, rows in self.shop.rows.items()
            for row in rows
        }

    def returns(self) -> Iterator[Return]:
        names = self._line_ids()
        rows = self.reader.world.shop_returns.filter(
            pl.col("requested_at") <= self.reader.clock
        ).sort("return_no")
        for row in rows.iter_rows(named=True):
            place = (row["order_id"], row["line_no"])
            if place in names:
                yield self._return(row, names[place])

    def _return(self, row: Row, line_id: str) -> Return:
        is_back, is_ended, is_closed = (
            self._reached(row[name]) for name in ("disposed_at", "ended_at", "closed_at")
        )
        received = row["disposed_at"] if is_back else self._first_refund(row)
        word = row["reason_handle"] or row["reason_code"]
        digits = f"2{row['return_id'][1:]}"
        is_settled = bool(self._paid_units(row)) or self._is_exchanged(row)
        is_denied = is_closed and received is not None and not is_settled
        return Return(
            key=key("shopify", row["account"], row["return_id"], digits),
            return_id=row["return_id"],
            connector="shopify",
            account=row["account"],
            line=self._line(row["account"], row["order_id"], line_id),
            quantity=row["quantity"],
            requested_at=row["requested_at"],
            received_at=received,
            refund_evidence_at=None,
            reason_raw=word,
            reason_claimed=REASONS[word],
            source_disposition=_WORDS.get(row["disposition"]) if is_back else None,
            text_hash=text_hash(row["comment"]),
            meaning=meaning_of(row["comment"]),
            native_resolution=NONE if is_denied else None,
            native_status=_STATUS[row["ended_as"]] if is_ended else self._open_status(row),
            has_no_goods=is_ended and received is None,
            graded_at=row["disposed_at"] if is_back and row["disposition"] in _GRADED else None,
        )

    def _open_status(self, row: Row) -> str:
        is_open = row["is_opened_by_shop"] or self._reached(row["approved_at"])
        return "authorised" if is_open else "requested"

    def _refund_parts(self, row: Row) -> list[Row]:
        parts = self.shop.refunds.get((row["order_id"], row["line_no"]), ())
        return [part for part in parts if part["return_no"] == row["return_no"]]

    def _first_refund(self, row: Row) -> datetime | None:
        parts = [p for p in self._refund_parts(row) if p["restock_type"] == "RETURN"]
        return min((part["refunded_at"] for part in parts), default=None)

    def _paid_units(self, row: Row) -> int:
        parts = self._refund_parts(row)
        return sum(p["quantity"] for p in parts if self._reached(p["paid_at"]))

    def _is_exchanged(self, row: Row) -> bool:
        return any(e["return_no"] == row["return_no"] for e in self.shop.exchanges.values())

    def refunds(self) -> Iterator[Refund]:
        names = self._line_ids()
        known = self.reader.world.shop_refunds.filter(
            pl.col("refunded_at") <= self.reader.clock,
            pl.col("paid_at").is_null() | (pl.col("paid_at") <= self.reader.clock),
        ).sort("refund_id")
        parts: dict[str, list[Row]] = {}
        for (order_id, line_no), rows in self.shop.refunds.items():
            for row in rows:
                parts.setdefault(row["refund_id"], []).append(
                    {**row, "line_id": names[order_id, line_no]}
                )
        for head in known.iter_rows(named=True):
            if head["order_id"] in self.shop.rows:
                yield from self._refund(head, parts.get(head["refund_id"], []))
        yield from self._disputes()

    def _refund(self, head: Row, parts: list[Row]) -> Iterator[Refund]:
        """A row for each line of a refund; what is of the whole refund is spread over them."""
        weights = self.shop.weights(head["order_id"])
        line = self._line(head["account"], head["order_id"], next(iter(weights)))
        assert line is not None  # noqa: S101
        digits = line.place.decimals

        def money(minor: int) -> Decimal:
            return Decimal(minor).scaleb(-digits)

        is_paid = head["total_minor"] > 0
        rows = {
            part["line_id"] + "-cancel" * (part["restock_type"] == "CANCEL"): part for part in parts
        }
        own = {name: money(part["subtotal_minor"]) for name, part in rows.items()}
        if not any(own.values()):
            own = weights if not rows else own
        shared = {
            name: spread(money(minor), own)
            for name, minor in (
                ("shipping", head["shipping_minor"]),
                ("shipping_tax", head["shipping_tax_minor"]),
                ("off", -head["adjustment_minor"]),
                ("off_tax", -head["adjustment_tax_minor"]),
            )
        }
        for name in own:
            part = rows.get(name)
            goods = shared["off"][name] + (money(part["subtotal_minor"]) if part else 0)
            tax = shared["off_tax"][name] + (money(part["tax_minor"]) if part else 0)
            tax += shared["shipping_tax"][name]
            shipping = shared["shipping"][name]
            if not is_paid:
                goods = tax = shipping = Decimal(0)
            is_cancel = name.endswith("-cancel")
            units = (part["quantity"] if is_paid and not is_cancel else 0) if part else None
            yield Refund(
                key=key("shopify", head["account"], head["refund_id"], name),
                refund_id=head["refund_id"],
                connector="shopify",
                account=head["account"],
                line=self._line(head["account"], head["order_id"], name.removesuffix("-cancel")),
                refunded_at=head["refunded_at"],
                currency=line.currency,
                net=goods + shipping,
                goods=goods,
                tax=tax,
                shipping=shipping,
                given_units=units,
                given_kind="cancellation" if is_cancel else None,
                return_id=self._return_ids.get(head["return_no"]),
                method="original_payment" if is_paid else UNKNOWN,
                source="marketplace",
                has_goods=bool(part and part["restock_type"] == "RETURN"),
            )

    @cached_property
    def _return_ids(self) -> dict[str | None, str]:
        known = self.reader.world.shop_returns
        return dict(zip(known["return_no"], known["return_id"], strict=True))

    def _disputes(self) -> Iterator[Refund]:
        """Chargebacks that the seller lost or gave in to."""
        lost = self.reader.world.shop_disputes.filter(
            pl.col("kind") == "CHARGEBACK",
            pl.col("outcome").is_in(["LOST", "ACCEPTED"]),
            pl.col("closed_at") <= self.reader.clock,
        ).sort("dispute_id")
        for row in lost.iter_rows(named=True):
            if row["order_id"] in self.shop.rows:
                yield from self._dispute(row)

    def _dispute(self, row: Row) -> Iterator[Refund]:
        lines = {
            line_id: line
            for line_id in self.shop.weights(row["order_id"])
            if (line := self._line(row["account"], row["order_id"], line_id))
        }
        yield from chargeback(row, lines)
