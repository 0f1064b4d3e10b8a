"""Rows of returns and refunds as the sources show them at a clock.

Belongs here: FBA returns as posted, requests to sellers who send themselves, returns and refunds
of the seller's files, refunds of closed settlements, inspections. Does not belong here: what
became of units (`outcomes.py`).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

import polars as pl

from sources._core.privacy import mask_text
from sources._sandbox.truth.reader import NONE, SEARCH_LAG, UNKNOWN, Line, Reader, Row, key
from sources._sandbox.world.booking_keys import KEY, transaction_id
from sources._sandbox.world.comments import meaning_of

_UNDELIVERABLE = "logistics.undeliverable_"
_COARSE = ("description.not_as_described", "fit.fit_unspecified", "fulfilment.wrong_item",
           "remorse.changed_mind")  # fmt: skip
_AGEING = {"durability_warranty", "expired_short_dated"}
_WORDS = {
    "SELLABLE": "sellable",
    "DEFECTIVE": "defective",
    "CUSTOMER_DAMAGED": "customer_damaged",
    "CARRIER_DAMAGED": "carrier_damaged",
    "DAMAGED": "warehouse_damaged",
    "EXPIRED": "expired",
}


@dataclass(frozen=True)
class Inspection:
    inspection_id: str
    lot_id: str | None
    inspected_at: datetime
    quantity: int
    grade: str
    defect_code: str | None
    disposition: str
    recovered: Decimal
    currency: str


def _is_coarser(said: str, code: str) -> bool:
    """Buyers have few words: a reason that is said may hold the code's."""
    level, _, rest = code.partition(".")
    if said.partition(".")[0] != level:
        return False
    if level == "logistics":
        return said != "logistics.damaged_in_transit" and rest != "damaged_in_transit"
    if level == "product_defect":
        coarse = {"functional": _AGEING | {"quality_cosmetic"}, "quality_cosmetic": _AGEING}
        return rest in coarse.get(said.partition(".")[2], ())
    return said in _COARSE


@dataclass
class Return:
    """A returned line; `line` is None where the order line is not known."""

    key: str
    return_id: str
    connector: str
    account: str
    line: Line | None
    quantity: int
    requested_at: datetime | None
    received_at: datetime | None
    refund_evidence_at: datetime | None
    reason_raw: str
    reason_claimed: str
    source_disposition: str | None
    text_hash: str
    native_resolution: str | None
    native_status: str | None
    has_no_goods: bool  # the request ended without goods
    meaning: str | None = None  # what a person reads in the comment
    graded_at: datetime | None = None  # as its source says
    inspections: list[Inspection] = field(default_factory=list)
    # filled by outcomes.py: units by how they ended
    refunded: int = 0
    exchanged: int = 0
    replaced: int = 0
    denied: int = 0
    refunded_at: datetime | None = None

    @property
    def first_evidence(self) -> datetime | None:
        return self.requested_at or self.received_at or self.refund_evidence_at

    @property
    def basis(self) -> str:
        if self.requested_at:
            return "requested"
        return "received" if self.received_at else "refunded"

    @property
    def evidence_date(self) -> date | None:
        return self.line.place.day(self.first_evidence) if self.line else None

    @property
    def is_undeliverable(self) -> bool:
        return self.reason_claimed.startswith(_UNDELIVERABLE)

    @property
    def is_buyer_return(self) -> bool:
        return not self.is_undeliverable

    @property
    def open(self) -> int:
        if self.has_no_goods:
            return 0
        return self.quantity - self.refunded - self.exchanged - self.replaced - self.denied

    @property
    def main_inspection(self) -> Inspection | None:
        """The one that speaks for the row: most units, then the latest."""
        ordered = sorted(self.inspections, key=lambda i: i.inspection_id)
        return max(ordered, key=lambda i: (i.quantity, i.inspected_at), default=None)

    @property
    def reason_inspected(self) -> str | None:
        found = self.main_inspection
        return found.defect_code if found else None

    @property
    def reason_text_label(self) -> str:
        """What the comment says; the code where that is a closer word for the same."""
        said = self.meaning or NONE
        if said == "logistics.late" and not (
            self.received_at or (self.line and self.line.delivered_at)
        ):
            said = "logistics.not_received_lost"
        return self.reason_claimed if _is_coarser(said, self.reason_claimed) else said

    @property
    def _is_refined(self) -> bool:
        """Text refines a code inside its first level, or one that says nothing."""
        text, code = self.reason_text_label, self.reason_claimed
        if text == NONE:
            return False
        if {text, code} == {"fit.too_small", "fit.too_large"}:
            return False
        return code.startswith("unknown.") or text.split(".")[0] == code.split(".")[0]

    @property
    def reason_conflict(self) -> bool:
        return self.reason_text_label != NONE and not self._is_refined

    @property
    def reason_source(self) -> str:
        if self.reason_inspected:
            return "inspection"
        is_changed = self._is_refined and self.reason_text_label != self.reason_claimed
        return "text" if is_changed else "code"

    @property
    def reason_final(self) -> str:
        claimed = self.reason_text_label if self._is_refined else self.reason_claimed
        return self.reason_inspected or claimed

    @property
    def disposition(self) -> str:
        found = self.main_inspection
        if found is None:
            return _WORDS.get((self.source_disposition or "").upper(), UNKNOWN)
        if found.disposition == "missing":
            return "missing"
        if found.grade in ("A", "B"):
            return "sellable"
        is_defect = (found.defect_code or "").startswith("product_defect.")
        return "defective" if is_defect else "customer_damaged"

    @property
    def first_graded_at(self) -> datetime | None:
        """When its source says, else at the first inspection."""
        return self.graded_at or min((i.inspected_at for i in self.inspections), default=None)

    @property
    def is_graded(self) -> bool:
        return bool(self.inspections) or self.disposition != UNKNOWN


@dataclass
class Refund:
    key: str
    refund_id: str
    connector: str
    account: str
    line: Line | None
    refunded_at: datetime
    currency: str
    net: Decimal
    goods: Decimal
    tax: Decimal
    shipping: Decimal
    given_units: int | None
    given_kind: str | None
    return_id: str | None
    method: str
    source: str
    fees: Decimal = Decimal(0)  # of the sale, given back less what the giving back cost
    has_goods: bool = False  # the source says that goods came back with it
    disputed_at: datetime | None = None  # a lost chargeback: when it was raised
    is_duplicate: bool = False  # paid back although the buyer's bank did so too
    units: int = 0
    return_row: Return | None = None


def returns(
    reader: Reader, lines: dict[str, Line], mapped: dict[str, str], others: Iterable[Return] = ()
) -> list[Return]:
    """All rows, those of a line never more than its shipped units."""
    rows = [
        *_fba(reader, lines, mapped),
        *_requested(reader, lines, mapped),
        *_from_files(reader, lines),
        *others,
    ]
    found = _inspections(reader)
    for row in rows:
        row.inspections = found.get((row.account, row.return_id), [])
    return _capped(rows)


def _fba(reader: Reader, lines: dict[str, Line], mapped: dict[str, str]) -> Iterator[Return]:
    """Rows posted so far under the date that is shown now."""
    clock = reader.clock
    seen: Counter[str] = Counter()
    rows = reader.world.returns.filter(
        pl.col("connector") == "amazon",
        pl.col("fulfilled_by") == "marketplace",
        pl.col("received_at") < clock,
        pl.col("posted_at") <= clock,
    ).sort("return_no")
    for row in rows.iter_rows(named=True):
        is_old_date = row["redated_from"] is not None and not _past(row["redated_at"], clock)
        received = row["redated_from"] if is_old_date else row["received_at"]
        return_id = row["lpn"]
        if return_id is None:
            content = "|".join(
                [row["order_id"], row["listing_sku"], f"{received:%Y-%m-%dT%H:%M:%SZ}",
                 row["disposition"], row["reason_code"]]
            )  # fmt: skip
            seen[content] += 1
            return_id = hashlib.md5(  # noqa: S324
                f"{content}|{seen[content]}".encode()
            ).hexdigest()
        code = row["reason_code"]
        yield Return(
            key=key("amazon", row["account"], return_id, "1"),
            return_id=return_id,
            connector="amazon",
            account=row["account"],
            line=lines.get(key("amazon", row["account"], row["order_id"], row["listing_sku"])),
            quantity=row["quantity"],
            requested_at=None,
            received_at=received,
            refund_evidence_at=None,
            reason_raw=code or NONE,
            reason_claimed=_claimed(code, mapped),
            source_disposition=row["disposition"],
            text_hash=text_hash(row["comment"]),
            meaning=meaning_of(row["comment"]),
            native_resolution=None,
            native_status=None,
            has_no_goods=False,
        )


def _claimed(code: str | None, mapped: dict[str, str]) -> str:
    word = (code or "").strip().upper().removeprefix("CR-")
    if not word:
        return "unknown.no_reason"
    return mapped.get(word, "unknown.unmapped")


def _requested(reader: Reader, lines: dict[str, Line], mapped: dict[str, str]) -> Iterator[Return]:
    """Requests to a seller who sends himself: days at the marketplace, no word on the goods."""
    clock = reader.clock
    rows = reader.world.return_requests.filter(pl.col("requested_at") < clock).sort("return_no")
    for row in rows.iter_rows(named=True):
        line = lines.get(key("amazon", row["account"], row["order_id"], row["listing_sku"]))
        if line is None:
            continue
        received = row["received_at"] if _past(row["received_at"], clock) else None
        is_closed = _past(row["closed_at"], clock)
        is_approved = _past(row["approved_at"], clock)
        yield Return(
            key=key("amazon", row["account"], row["return_no"], row["listing_sku"]),
            return_id=row["return_no"],
            connector="amazon",
            account=row["account"],
            line=line,
            quantity=row["quantity"],
            requested_at=line.place.noon(row["requested_at"]),
            received_at=line.place.noon(received) if received else None,
            refund_evidence_at=None,
            reason_raw=row["reason_code"],
            reason_claimed=mapped.get(row["reason_code"].removeprefix("CR-"), "unknown.unmapped"),
            source_disposition=None,
            text_hash=NONE,
            native_resolution=None,
            native_status=("denied" if row["is_declined"] else "withdrawn")
            if is_closed
            else "authorised"
            if is_approved
            else None,
            has_no_goods=is_closed and received is None,
        )


def _from_files(reader: Reader, lines: dict[str, Line]) -> Iterator[Return]:
    clock = reader.clock
    paid = reader.world.refunds.group_by("return_no").agg(pl.col("refunded_at").min())
    sent = (
        reader.world.units.filter(pl.col("linked_order_id").is_not_null())
        .join(
            reader.world.orders.select("order_id", pl.col("ordered_at").alias("sent_at")),
            left_on="linked_order_id",
            right_on="order_id",
        )
        .group_by("return_no")
        .agg(pl.col("sent_at").min())
    )
    rows = (
        reader.world.returns.filter(pl.col("connector") == "files", pl.col("requested_at") <= clock)
        .join(paid, on="return_no", how="left")
        .join(sent, on="return_no", how="left")
        .sort("return_no")
    )
    for row in rows.iter_rows(named=True):
        is_in, is_closed, is_paid, is_sent = (
            _past(row[name], clock) for name in ("posted_at", "closed_at", "refunded_at", "sent_at")
        )
        word = NONE if is_closed else row["ends_as"] if is_sent else "refund" if is_paid else None
        yield Return(
            key=key("files", row["account"], row["return_no"], str(row["line_no"])),
            return_id=row["return_no"],
            connector="files",
            account=row["account"],
            line=lines.get(key("files", row["account"], row["order_id"], str(row["line_no"]))),
            quantity=row["quantity"],
            requested_at=row["requested_at"],
            received_at=row["received_at"] if is_in else None,
            refund_evidence_at=None,
            reason_raw=row["reason_code"] or NONE,
            reason_claimed=row["reason_code"] or "unknown.no_reason",
            source_disposition=row["disposition"] if is_in else None,
            text_hash=text_hash(row["comment"]),
            meaning=meaning_of(row["comment"]),
            native_resolution=word,
            native_status="withdrawn" if is_closed else None,
            has_no_goods=is_closed and not is_in,
        )


def text_hash(comment: str | None) -> str:
    return NONE if not comment else hashlib.md5(mask_text(comment).encode()).hexdigest()  # noqa: S324


def _past(moment: datetime | None, clock: datetime) -> bool:
    return moment is not None and moment <= clock


def _inspections(reader: Reader) -> dict[tuple[str, str], list[Inspection]]:
    found: dict[tuple[str, str], list[Inspection]] = defaultdict(list)
    rows = reader.world.inspections.filter(pl.col("inspected_at") <= reader.clock)
    for row in rows.iter_rows(named=True):
        found[row["account"], row["return_ref"]].append(
            Inspection(
                row["inspection_id"], row["lot_id"], row["inspected_at"], row["quantity"],
                row["grade"], row["defect_code"], row["disposition"],
                Decimal(row["recovered_minor"]) / 100, row["currency"],
            )
        )  # fmt: skip
    return found


def _capped(rows: list[Return]) -> list[Return]:
    """A line never takes back more than it sent; the excess is no row."""
    kept = []
    left: dict[str, int] = {}
    rows.sort(key=lambda row: (str(row.evidence_date), row.key))
    for row in rows:
        if row.line is None or row.has_no_goods:
            kept.append(row)
            continue
        room = left.setdefault(row.line.key, row.line.shipped)
        row.quantity = min(row.quantity, room)
        left[row.line.key] -= row.quantity
        if row.quantity:
            kept.append(row)
    return kept


def refunds(reader: Reader, lines: dict[str, Line], others: Iterable[Refund] = ()) -> list[Refund]:
    """All rows; what was paid back although the buyer's bank did so too takes no unit."""
    settled = _settled(reader)
    rows = [
        *_from_settlements(reader, lines, settled),
        *_not_settled(reader, lines, settled),
        *_file_refunds(reader, lines),
        *others,
    ]
    disputed = {
        row.line.key: row.disputed_at for row in rows if row.line and row.disputed_at is not None
    }
    for row in rows:
        opened = disputed.get(row.line.key) if row.line else None
        is_other = row.disputed_at is None and row.given_kind != "cancellation"
        if opened is not None and is_other and row.refunded_at >= opened:
            row.is_duplicate, row.given_units = True, 0
    return rows


def _settled(reader: Reader) -> pl.DataFrame:
    """Refund rows of closed settlements."""
    closed = reader.world.settlements.filter(pl.col("closed_at") < reader.clock)
    return (
        reader.world.settlement_lines.filter(pl.col("transaction_type") == "Refund")
        .join(closed.select("settlement_id", "account"), on="settlement_id")
        .sort("settlement_id", "line_seq")
    )


def _from_settlements(
    reader: Reader, lines: dict[str, Line], settled: pl.DataFrame
) -> Iterator[Refund]:
    """One per adjustment, order and SKU of closed settlements; positive, tax apart."""
    for _, group in settled.group_by(
        "account", "adjustment_id", "order_id", "sku", maintain_order=True
    ):
        rows = group.to_dicts()
        yield _booked(reader, lines, rows[0]["adjustment_id"], rows, "settlement")


def _not_settled(reader: Reader, lines: dict[str, Line], settled: pl.DataFrame) -> Iterator[Refund]:
    """Refunds that Finances tells of before a settlement of that order, SKU and day does."""
    day = ("account", "order_id", "sku", pl.col("posted_at").dt.date().alias("day"))
    until = reader.clock - SEARCH_LAG
    rows = (
        reader.world.bookings.filter(
            pl.col("transaction_type") == "Refund",
            pl.col("shown_at") <= until,
            pl.col("posted_at") < until,
        )
        .with_columns(day[3])
        .join(settled.select(day).unique(), on=["account", "order_id", "sku", "day"], how="anti")
    )
    for _, group in rows.group_by("account", *KEY, "sku", maintain_order=True):
        number = transaction_id(group.row(0, named=True))
        yield _booked(reader, lines, number, group.to_dicts(), "marketplace")


def _booked(
    reader: Reader, lines: dict[str, Line], number: str, rows: list[Row], source: str
) -> Refund:
    """A refund from its components. What fees came back only a settlement says for good."""
    first = rows[0]
    account, sku = first["account"], first["sku"]
    place = reader.places[account, first["marketplace"]]

    def money(*wanted: tuple[str, str]) -> Decimal:
        minor = sum(
            row["amount_minor"]
            for row in rows
            if (row["amount_type"], row["amount_description"]) in wanted
        )
        return Decimal(-minor).scaleb(-place.decimals)

    goods = money(("ItemPrice", "Principal"), ("Promotion", "Principal"))
    shipping = money(("ItemPrice", "Shipping"), ("Promotion", "Shipping"))
    return Refund(
        key=key("amazon", account, number, sku),
        refund_id=number,
        connector="amazon",
        account=account,
        line=lines.get(key("amazon", account, first["order_id"], sku)),
        refunded_at=min(row["posted_at"] for row in rows),
        currency=first["currency"],
        net=goods + shipping,
        goods=goods,
        tax=money(("ItemPrice", "Tax"), ("ItemPrice", "ShippingTax")),
        shipping=shipping,
        given_units=None,
        given_kind=None,
        return_id=None,
        method="original_payment",
        source=source,
        fees=_fees_back(rows, place.decimals) if source == "settlement" else Decimal(0),
    )


def _fees_back(rows: list[Row], decimals: int) -> Decimal:
    fees = sum(row["amount_minor"] for row in rows if row["amount_type"] == "ItemFees")
    return Decimal(fees).scaleb(-decimals)


def _file_refunds(reader: Reader, lines: dict[str, Line]) -> Iterator[Refund]:
    rows = reader.world.refunds.filter(
        pl.col("connector") == "files", pl.col("refunded_at") <= reader.clock
    ).sort("refund_no")
    for row in rows.iter_rows(named=True):
        line = lines.get(key("files", row["account"], row["order_id"], str(row["line_no"])))
        digits = line.place.decimals if line else 2

        def money(minor: int, digits: int = digits) -> Decimal:
            return Decimal(minor).scaleb(-digits)

        goods, shipping = money(row["principal_minor"]), money(row["shipping_minor"])
        yield Refund(
            key=key("files", row["account"], row["refund_no"], str(row["line_no"])),
            refund_id=row["refund_no"],
            connector="files",
            account=row["account"],
            line=line,
            refunded_at=row["refunded_at"],
            currency=row["currency"],
            net=goods + shipping,
            goods=goods,
            tax=money(row["tax_minor"] + row["shipping_tax_minor"]),
            shipping=shipping,
            given_units=row["units"] or None,
            given_kind=row["kind"],
            return_id=row["return_no"],
            method="original_payment",
            source="file",
        )
