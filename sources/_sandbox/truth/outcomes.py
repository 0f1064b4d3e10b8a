"""What became of the shipped units of each line: refunds by unit, links, ends of returned units.

Belongs here: counting units (metrics.md 1.2, 1.5). Does not belong here: reading, money in the
reporting currency, lots.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from sources._sandbox.truth.reader import Line, key
from sources._sandbox.truth.returned import Refund, Return

ALMOST = Decimal("0.01")  # of a unit


@dataclass(frozen=True)
class Link:
    """A line sent for a line of an earlier order."""

    original: Line
    new: Line

    @property
    def kind(self) -> str:
        return self.new.link_kind or ""

    @property
    def quantity(self) -> int:
        return self.new.ordered - self.new.cancelled


@dataclass
class Fate:
    """Returns, refunds and links of one line, and its units by outcome."""

    line: Line
    returns: list[Return] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def refunded_units(self) -> int:
        return min(sum(refund.units for refund in self.refunds), self.line.shipped)

    def linked(self, kind: str) -> int:
        return sum(link.quantity for link in self.links if link.kind == kind)

    def return_of(self, link: Link) -> Return | None:
        """The return that a line was sent for: as told, else the first that ended so."""
        told = [row for row in self.returns if row.return_id == link.new.return_id]
        ended = [row for row in self.returns if link.kind == "exchange" and row.exchanged]
        ended += [row for row in self.returns if link.kind != "exchange" and row.replaced]
        return next(iter(told or ended), None)


@dataclass(frozen=True)
class Horizon:
    """Settings of the return horizon and the day of the clock."""

    today: date
    days: int = 60
    transit_days: int = 7


def horizon_start(line: Line, horizon: Horizon) -> tuple[date | None, str | None]:
    """The day from which the horizon runs, and where it comes from."""
    if line.shipped_at is None or not line.shipped:
        return None, None
    if line.delivered_at is not None:
        return line.day_there(line.delivered_at), "actual"
    if line.estimate is not None:
        return line.estimate, "marketplace_estimate"
    shipped = line.shipped_date
    assert shipped is not None  # noqa: S101
    return shipped + timedelta(days=horizon.transit_days), "assumed"


def fates(
    lines: Iterable[Line],
    returns: Iterable[Return],
    refunds: Iterable[Refund],
    product_of: dict[str, str],
    horizon: Horizon,
) -> dict[str, Fate]:
    found = {line.key: Fate(line) for line in lines}
    for row in returns:
        if row.line:
            found[row.line.key].returns.append(row)
    for refund in refunds:
        if refund.line:
            found[refund.line.key].refunds.append(refund)
    for link in links([fate.line for fate in found.values()], product_of):
        found[link.original.key].links.append(link)
    for fate in found.values():
        fate.returns.sort(key=_order_of_returns)
        _count_refunds(fate)
        _end_returns(fate)
        _join_refunds(fate)
        fate.outcomes = _partition(fate, horizon)
    return found


def links(lines: list[Line], product_of: dict[str, str]) -> list[Link]:
    """Each line sent for another order: for its line of the same SKU, product, or the first."""
    by_order: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_order[line.order_key].append(line)
    found = []
    for line in lines:
        if line.link_kind is None or line.original is None:
            continue
        candidates = by_order.get(key(line.connector, line.account, line.original), [])
        if line.original_line is not None:
            candidates = [old for old in candidates if old.line_id == line.original_line]
        if candidates:
            best = min(
                candidates,
                key=lambda old: (
                    old.sku != line.sku,
                    product_of.get(old.sku) != product_of.get(line.sku),
                    old.line_id,
                ),
            )
            found.append(Link(best, line))
    return found


def _order_of_returns(row: Return) -> tuple[bool, bool, date | None, str]:
    return (
        row.is_undeliverable, row.received_at is None, row.evidence_date, row.key
    )  # fmt: skip


def _count_refunds(fate: Fate) -> None:
    """Whole units of each refund: told, else as far as the sum so far pays for units."""
    line = fate.line
    fate.refunds.sort(key=lambda refund: (refund.refunded_at, refund.key))
    price = (line.net or Decimal(0)) / line.ordered if line.ordered else Decimal(0)
    paid, told, counted = Decimal(0), 0, 0
    for refund in fate.refunds:
        if refund.given_units is None:
            paid += refund.goods
        else:
            told += refund.given_units
        whole = max(0, int(paid / price + ALMOST)) if price > 0 else 0
        so_far = min(told + whole, line.shipped)
        refund.units = max(0, so_far - counted)
        counted = max(counted, so_far)


def _end_returns(fate: Fate) -> None:
    """How the units of each return ended: as its source says, else money first, then goods."""
    money = fate.refunded_units
    goods = {kind: fate.linked(kind) for kind in ("exchange", "replacement")}
    others = []
    for row in fate.returns:
        if row.has_no_goods:
            continue
        if row.native_resolution == "refund":
            row.refunded = row.quantity
            money -= row.quantity
        elif row.native_resolution == "exchange":
            row.exchanged = row.quantity
            goods["exchange"] -= row.quantity
        elif row.native_resolution == "replacement":
            row.replaced = row.quantity
            goods["replacement"] -= row.quantity
        elif row.native_resolution == "none" and row.received_at:
            row.denied = row.quantity
        else:
            others.append(row)
    for row in others:
        row.refunded = min(row.quantity, max(0, money))
        money -= row.refunded
    for row in others:
        row.exchanged = min(row.open, max(0, goods["exchange"]))
        goods["exchange"] -= row.exchanged
        row.replaced = min(row.open, max(0, goods["replacement"]))
        goods["replacement"] -= row.replaced


def _join_refunds(fate: Fate) -> None:
    """The return of each refund: named, else unit by unit in order."""
    spans, start = [], 0
    for row in fate.returns:
        spans.append((start, start + row.refunded, row))
        start += row.refunded
    start = 0
    for refund in fate.refunds:
        end = start + refund.units
        if refund.return_id is not None:
            named = [row for row in fate.returns if row.return_id == refund.return_id]
            refund.return_row = named[0] if named else None
        elif refund.units:
            hit = [row for low, high, row in spans if low < end and start < high]
            refund.return_row = hit[0] if hit else None
        start = end
        linked = refund.return_row
        if linked is not None:
            linked.refunded_at = min(linked.refunded_at or refund.refunded_at, refund.refunded_at)


def _partition(fate: Fate, horizon: Horizon) -> dict[str, int]:
    line = fate.line
    buyers = [row for row in fate.returns if row.is_buyer_return]
    received = [row for row in buyers if row.received_at]
    back = sum(row.refunded + row.denied for row in received)
    wanted = [
        ("returned_refunded", back),
        ("refunded_no_return", fate.refunded_units - sum(row.refunded for row in received)),
        ("exchanged", max(fate.linked("exchange"), sum(row.exchanged for row in fate.returns))),
        ("replaced", max(fate.linked("replacement"), sum(row.replaced for row in fate.returns))),
        ("return_in_progress", sum(row.open for row in buyers)),
        ("undelivered", sum(row.open for row in fate.returns if row.is_undeliverable)),
    ]
    outcomes = {"cancelled_pre_ship": line.cancelled}
    left = line.shipped
    for name, units in wanted:
        if name == "undelivered":  # a refund without goods goes to the units that never came first
            units = max(units, line.undelivered - outcomes["refunded_no_return"])
        outcomes[name] = min(max(0, units), left)
        left -= outcomes[name]
    start, _ = horizon_start(line, horizon)
    is_on_its_way = start is not None and start > horizon.today
    outcomes["in_transit" if is_on_its_way else "kept"] = left
    outcomes["unshipped_open"] = line.ordered - line.cancelled - line.shipped
    return {name: units for name, units in outcomes.items() if units > 0}
