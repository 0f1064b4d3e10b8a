"""The order export of Shopify's admin (CSV) as rows of the dataset `orders`.

Belongs here: its columns, and what stands once for an order shared out over its lines. Does not
belong here: checking and landing the rows, which the inbox does as for any other file.

The export has no id of a line and no day of a refund. An order that the API gives as well never
becomes a second one: the inbox matches it by the order's id.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import groupby

from sources.files.cells import FileRefusedError

TITLE = {"en": "Shopify orders", "zh": "Shopify 订单"}
DATASET = "orders"
REQUIRED = (
    "Name",
    "Currency",
    "Subtotal",
    "Shipping",
    "Taxes",
    "Total",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
    "Lineitem sku",
)
COLUMNS = (
    "channel",
    "order_ref",
    "order_number",
    "line_ref",
    "sku",
    "ordered_at",
    "country",
    "quantity",
    "unit_price",
    "currency",
    "tax_amount",
    "tax_included",
    "shipping_price",
    "discount_amount",
    "status",
    "paid_at",
    "shipped_at",
    "cancelled_at",
)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d) ?([+-]\d\d):?(\d\d)")
_CENT = Decimal("0.01")

Row = Mapping[str, str]


def is_shop_export(header: Sequence[str]) -> bool:
    return set(REQUIRED) <= set(header)


def order_lines(text: str, channel: str) -> list[dict[str, str]]:
    """Rows of the dataset; FileRefusedError for a file that a spreadsheet program has changed."""
    rows = csv.DictReader(io.StringIO(text, newline=""))
    lines: list[dict[str, str]] = []
    for _name, group in groupby(rows, key=lambda row: row["Name"]):
        lines += _lines_of(list(group), channel)
    return lines


def as_csv(lines: Sequence[Mapping[str, str]]) -> bytes:
    """The file that goes into the inbox."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode()


def _lines_of(rows: Sequence[Row], channel: str) -> Iterator[dict[str, str]]:
    """The first row of an order carries what is of the order as a whole."""
    head = rows[0]
    gross = [_money(r, "Lineitem price") * _money(r, "Lineitem quantity") for r in rows]
    subtotal, shipping, taxes = (_money(head, n) for n in ("Subtotal", "Shipping", "Taxes"))
    discounts = _shares(max(sum(gross, Decimal(0)) - subtotal, Decimal(0)), gross)
    net = [amount - discount for amount, discount in zip(gross, discounts, strict=True)]
    taxes_of_lines = _shares(taxes, net)
    is_included = taxes > 0 and abs(subtotal + shipping - _money(head, "Total")) <= _CENT
    names: dict[str, int] = {}
    for number, row in enumerate(rows):
        sku = row["Lineitem sku"].strip() or row["Lineitem name"].strip()
        names[sku] = names.get(sku, 0) + 1
        yield {
            "channel": channel,
            "order_ref": _identifier(head.get("Id") or "") or head["Name"].strip(),
            "order_number": head["Name"].strip(),
            "line_ref": sku if names[sku] == 1 else f"{sku}-{names[sku]}",
            "sku": sku,
            "ordered_at": _moment(head["Created at"]),
            "country": _country(head.get("Shipping Country") or ""),
            "quantity": row["Lineitem quantity"].strip(),
            "unit_price": row["Lineitem price"].strip(),
            "currency": head["Currency"].strip(),
            "tax_amount": str(taxes_of_lines[number]),
            "tax_included": "true" if is_included else "false",
            "shipping_price": str(shipping if number == 0 else Decimal(0)),
            "discount_amount": str(discounts[number]),
            **_states(head, row),
        }


def _states(head: Row, row: Row) -> dict[str, str]:
    cancelled_at = _moment(head.get("Cancelled at") or "")
    is_sent = (row.get("Lineitem fulfillment status") or "").strip().lower() == "fulfilled"
    sent_at = _moment(head.get("Fulfilled at") or "")
    return {
        "status": "shipped" if is_sent else "cancelled" if cancelled_at else "open",
        "paid_at": _moment(head.get("Paid at") or ""),
        "shipped_at": sent_at if is_sent else "",
        "cancelled_at": cancelled_at,
    }


def _shares(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """The amount in cents by weight, the largest remainders first; equal ones in their order."""
    total = sum(weights, Decimal(0))
    if amount == 0 or total <= 0:
        return [Decimal(0)] * len(weights)
    exact = [amount * weight / total for weight in weights]
    shares = [share.quantize(_CENT, rounding="ROUND_DOWN") for share in exact]
    missing = int((amount - sum(shares)) / _CENT)
    order = sorted(range(len(exact)), key=lambda n: (shares[n] - exact[n], n))
    for number in order[:missing]:
        shares[number] += _CENT
    return shares


def _money(row: Row, name: str) -> Decimal:
    try:
        return Decimal((row[name] or "0").strip() or "0")
    except InvalidOperation:
        raise _changed(name) from None


def _identifier(text: str) -> str:
    found = text.strip().lstrip("'")
    if found and not found.isdigit():
        raise _changed("Id")
    return found


def _moment(text: str) -> str:
    """`2026-11-01 10:15:00 +0100` with the offset as ISO 8601 writes it."""
    if not text.strip():
        return ""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise _changed("Created at, Paid at or Fulfilled at")
    return f"{found[1]}T{found[2]}{found[3]}:{found[4]}"


def _country(text: str) -> str:
    code = text.strip().upper()
    return code if len(code) == 2 else "ZZ"


def _changed(column: str) -> FileRefusedError:
    return FileRefusedError(
        "changed_by_spreadsheet",
        f"a spreadsheet program has changed column {column} (dates in its own form, long numbers "
        "like 1.11E+16): export the orders again (Shopify admin: Orders, Export) and import the "
        "file without opening it in a spreadsheet",
    )
