"""Returns and refunds of eBay and Walmart as a reader can know them at a clock.

Belongs here: rows of both under the names of the facts. Does not belong here: what became of units
(`outcomes.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

import polars as pl

from sources._sandbox.truth.chargebacks import chargeback
from sources._sandbox.truth.market_lines import market_line_id
from sources._sandbox.truth.reader import NONE, Line, Reader, Row, key
from sources._sandbox.truth.returned import Refund, Return, text_hash
from sources._sandbox.world.comments import meaning_of

EBAY_REASONS: Mapping[str, str] = {
    "ARRIVED_DAMAGED": "logistics.damaged_in_transit",
    "ARRIVED_LATE": "logistics.late",
    "DEFECTIVE_ITEM": "product_defect.functional",
    "MISSING_PARTS": "product_defect.missing_parts",
    "EXPIRED_ITEM": "product_defect.expired_short_dated",
    "FAKE_OR_COUNTERFEIT": "product_defect.authenticity_claim",
    "NOT_AS_DESCRIBED": "description.not_as_described",
    "DIFFERENT_FROM_LISTING": "description.not_as_described",
    "DOES_NOT_FIT": "description.not_compatible",
    "WRONG_SIZE": "fit.fit_unspecified",
    "ORDERED_DIFFERENT_ITEM": "fulfilment.wrong_item",
    "ORDERED_WRONG_ITEM": "remorse.ordered_by_mistake",
    "ORDERED_ACCIDENTALLY": "remorse.ordered_by_mistake",
    "NO_LONGER_NEED_ITEM": "remorse.changed_mind",
    "RETURNING_GIFT": "remorse.gift",
    "FOUND_BETTER_PRICE": "price.better_price",
    "NO_REASON": "unknown.no_reason",
    "OTHER": "unknown.other",
}
"""What eBay's words mean (metrics.md 4.5), as far as the simulated buyers pick them."""
WALMART_REASONS: Mapping[str, str] = {
    "ARRIVED_LATE": "logistics.late",
    "LOST_AFTER_DELIVERY": "logistics.not_received_lost",
    "LOST_IN_TRANSIT": "logistics.not_received_lost",
    "RETURN_TO_SENDER": "logistics.undeliverable_other",
    "DAMAGED": "logistics.damaged_in_transit",
    "SHIPPING_BOX_DAMAGED": "logistics.damaged_in_transit",
    "DEFECTIVE": "product_defect.functional",
    "INADEQUATE_QUALITY": "product_defect.quality_cosmetic",
    "MISSING_PARTS": "product_defect.missing_parts",
    "INCORRECT_ITEM": "fulfilment.wrong_item",
    "NOT_AS_DESCRIBED": "description.not_as_described",
    "WRONG_SIZE/POOR_FIT": "fit.fit_unspecified",
    "DUPLICATE_ITEM": "remorse.duplicate",
    "LOWER_PRICE": "price.better_price",
    "NO_LONGER_WANTED": "remorse.changed_mind",
    "BOUGHT_SOMEWHERE_ELSE": "remorse.changed_mind",
    "AUTO_RETURN": "unknown.no_reason",
}
"""What Walmart's words mean (metrics.md 4.6)."""
_KINDS = {"cancel": "cancellation", "inquiry": "inr"}


@dataclass(frozen=True)
class MarketBack:
    """Reads the returns and refunds of all accounts of eBay and Walmart."""

    reader: Reader
    lines: dict[str, Line]

    def _reached(self, at: datetime | None) -> bool:
        return at is not None and at <= self.reader.clock

    @cached_property
    def _line_ids(self) -> dict[tuple[str, int], Row]:
        rows = self.reader.world.order_lines.join(
            self.reader.world.orders.filter(pl.col("connector").is_in(["ebay", "walmart"])).select(
                "order_id", "connector"
            ),
            on="order_id",
        )
        return {(row["order_id"], row["line_no"]): row for row in rows.iter_rows(named=True)}

    def _line(self, row: Row) -> Line | None:
        sold = self._line_ids[row["order_id"], row["line_no"]]
        name = market_line_id(row["connector"], sold)
        return self.lines.get(key(row["connector"], row["account"], row["order_id"], name))

    @cached_property
    def _asked(self) -> list[Row]:
        known = self.reader.world.market_returns.filter(pl.col("requested_at") <= self.reader.clock)
        return known.sort("return_id").to_dicts()

    def returns(self) -> Iterator[Return]:
        for row in self._asked:
            is_ebay = row["connector"] == "ebay"
            is_in, is_over = self._reached(row["received_at"]), self._reached(row["closed_at"])
            is_paid = self._reached(row["refunded_at"])
            words = EBAY_REASONS if is_ebay else WALMART_REASONS
            yield Return(
                key=key(row["connector"], row["account"], row["return_id"], "1"),
                return_id=row["return_id"],
                connector=row["connector"],
                account=row["account"],
                line=self._line(row),
                quantity=row["quantity"],
                requested_at=row["requested_at"],
                received_at=row["received_at"] if is_in else None,
                refund_evidence_at=None,
                reason_raw=row["reason_code"],
                reason_claimed=words[row["reason_code"]],
                source_disposition=None,
                text_hash=text_hash(row["comment"]) if is_ebay else NONE,
                meaning=meaning_of(row["comment"]) if is_ebay else None,
                native_resolution=NONE if is_ebay and is_in and is_over and not is_paid else None,
                native_status=self._status(row),
                has_no_goods=row["is_withdrawn"] and is_over,
            )

    def _status(self, row: Row) -> str:
        is_ebay = row["connector"] == "ebay"
        if row["is_withdrawn"] and self._reached(row["closed_at"]):
            return "closed" if is_ebay else "cancelled"
        if self._reached(row["sent_at"]):
            return "in_transit"
        is_agreed = self._reached(row["approved_at"]) and not row["is_kept"]
        if not is_ebay:
            is_agreed = row["is_kept"]  # nothing to wait for
        return "authorised" if is_agreed else "requested"

    def refunds(self) -> Iterator[Refund]:
        yield from self._ebay_refunds()
        yield from self._walmart_refunds()
        yield from self._chargebacks()

    def _ebay_refunds(self) -> Iterator[Refund]:
        """The buyer's amounts; what passes the price of the line is its shipping."""
        given: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
        known = self.reader.world.market_refunds.filter(
            pl.col("connector") == "ebay", pl.col("refunded_at") <= self.reader.clock
        ).sort("refunded_at", "refund_id")
        for row in known.iter_rows(named=True):
            line, place = self._line(row), (row["order_id"], row["line_no"])
            if line is None or line.net is None:
                continue
            amount = Decimal(row["amount_minor"]).scaleb(-line.place.decimals)
            goods = min(amount, max(Decimal(0), line.net - given[place]))
            given[place] += amount
            is_return = row["reference_kind"] == "return"
            yield self._refund(
                row, line, row["refund_id"], line.line_id, row["refunded_at"],
                money=(goods, Decimal(0), amount - goods),
                units=None,
                kind=_KINDS.get(row["reference_kind"] or ""),
                return_id=row["reference_id"] if is_return else None,
            )  # fmt: skip

    def _chargebacks(self) -> Iterator[Refund]:
        """Disputes at eBay that the seller lost or gave in to."""
        lost = self.reader.world.market_disputes.filter(
            pl.col("outcome") != "WON", pl.col("closed_at") <= self.reader.clock
        ).sort("dispute_id")
        by_order: dict[str, dict[str, Line]] = defaultdict(dict)
        for line in self.lines.values():
            if line.connector == "ebay":
                by_order[line.order_key][line.line_id] = line
        for row in lost.iter_rows(named=True):
            lines = by_order.get(key("ebay", row["account"], row["order_id"]))
            if lines and row["amount_minor"]:
                yield from chargeback(row, lines)

    def _walmart_refunds(self) -> Iterator[Refund]:
        """Of a closed period as its file has them; until then as the return tells: the total, and
        what a unit costs without and with its tax."""
        filed = list(self._filed_refunds())
        yield from filed
        last: dict[str, datetime] = {}
        for refund in filed:
            if refund.line:
                before = last.get(refund.line.key, refund.refunded_at)
                last[refund.line.key] = max(before, refund.refunded_at)
        for row in self._asked:
            line = self._line(row)
            if row["connector"] != "walmart" or not self._reached(row["refunded_at"]):
                continue
            if line is None:
                continue
            told = last.get(line.key)
            if told is not None and told >= line.place.noon(row["refunded_at"]):
                continue
            sold = self._line_ids[row["order_id"], row["line_no"]]
            unit = sold["unit_price_minor"] - sold["unit_discount_minor"]
            digits = line.place.decimals
            total = Decimal(row["refund_minor"] + row["refund_tax_minor"]).scaleb(-digits)
            share = Decimal(unit) / (unit + sold["unit_tax_minor"])
            net = (total * share).quantize(Decimal("0.01"), ROUND_HALF_UP)
            yield self._refund(
                row, line, row["return_id"], "1", row["refunded_at"],
                money=(net, total - net, Decimal(0)),
                units=row["quantity"],
                kind=None,
                return_id=row["return_id"],
            )  # fmt: skip

    def _filed_refunds(self) -> Iterator[Refund]:
        """By line and day of posting."""
        rows = self.reader.world.market_bookings.filter(
            pl.col("connector") == "walmart",
            pl.col("kind") == "Refund",
            pl.col("paid_out_at") <= self.reader.clock,
        ).sort("booked_at", "booking_id", "component")
        groups: dict[tuple[str, int, datetime, datetime], list[Row]] = defaultdict(list)
        for row in rows.iter_rows(named=True):
            line = self._line(row)
            if line is not None:
                posted = line.place.noon(row["booked_at"])
                groups[row["order_id"], row["line_no"], posted, row["paid_out_at"]].append(row)
        for (order_id, line_no, posted, listed), parts in groups.items():
            line = self._line(parts[0])
            assert line is not None  # noqa: S101
            sums: dict[str, Decimal] = defaultdict(Decimal)
            for part in parts:
                amount = Decimal(part["amount_minor"]).scaleb(-line.place.decimals)
                sums[part["component"]] += amount
            number = f"{listed:%Y-%m-%d}-{order_id}-{posted:%Y%m%d}"
            refund = self._refund(
                parts[0], line, number, str(line_no), posted,
                money=(-sums["Product Price"], -sums["Product tax"], Decimal(0)),
                units=None,
                kind=None,
                return_id=None,
            )  # fmt: skip
            refund.source = "settlement"
            yield refund

    def _refund(
        self,
        row: Row,
        line: Line,
        number: str,
        part: str,
        at: datetime,
        *,
        money: tuple[Decimal, Decimal, Decimal],
        units: int | None,
        kind: str | None,
        return_id: str | None,
    ) -> Refund:
        goods, tax, shipping = money
        return Refund(
            key=key(row["connector"], row["account"], number, part),
            refund_id=number,
            connector=row["connector"],
            account=row["account"],
            line=line,
            refunded_at=at,
            currency=line.currency,
            net=goods + shipping,
            goods=goods,
            tax=tax,
            shipping=shipping,
            given_units=units,
            given_kind=kind,
            return_id=return_id,
            method="original_payment",
            source="marketplace",
        )
