"""Order, return and transaction files of a marketplace's seller pages as rows of inbox datasets.

Belongs here: recognising them by the words of `sources/<connector>/exports.yml`, days, amounts and
countries as such files write them, what stands once for an order of several lines. Does not belong
here: checking and landing the rows, which the inbox does as for any other file; reports that hold
what the API gives (`sources/<connector>/downloads.py`).

These files tell days without a time: they become noon UTC of that day, which is that day in nearly
every time zone. Nothing is guessed: a day or an amount that can be read two ways refuses the file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec
import yaml

from sources.files.cells import FileRefusedError

FILE_NAME = "exports.yml"
_HEADER_WITHIN = 40  # lines: a report may begin with words about itself
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = (
    re.compile(r"(?P<y>\d{4})-(?P<n>\d\d?)-(?P<d>\d\d?)(?:[T ].*)?"),
    re.compile(r"(?P<m>[A-Za-z]{3})[a-z]*[- ](?P<d>\d\d?)(?:,? |-)(?P<y>\d{4}|\d\d)(?:[ ,].*)?"),
    re.compile(r"(?P<d>\d\d?)[- ](?P<m>[A-Za-z]{3})[a-z]*[- ](?P<y>\d{4}|\d\d)(?:[ ,].*)?"),
)
_SIGNS = {
    "$": "USD", "US $": "USD", "US$": "USD", "£": "GBP", "€": "EUR", "AU $": "AUD", "C $": "CAD",
}  # fmt: skip
_AMOUNT = re.compile(
    r"(?P<sign>-?)(?P<unit>[A-Z]{2,3} ?\$|[A-Z]{1,3} |\D{0,3}?) ?(?P<digits>[\d.,]+)"
)
_POINT = re.compile(r"\d{1,3}(?:,\d{3})*(?:\.\d+)?|\d+(?:\.\d+)?")
_COMMA = re.compile(r"\d{1,3}(?:\.\d{3})*,\d{2}|\d+,\d{2}")
_CHANGED = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)
_TIMES = (
    "ordered_at", "paid_at", "ship_by_at", "shipped_at", "promised_at", "requested_at",
    "received_at", "posted_at",
)  # fmt: skip
_AMOUNTS = ("unit_price", "shipping_price", "tax_amount")
_NUMBERS = ("order_ref", "line_ref", "listing", "return_ref", "tracking_number", "reference")
_COUNTRIES = {
    "united states": "US", "united kingdom": "GB", "great britain": "GB", "canada": "CA",
    "australia": "AU", "germany": "DE", "france": "FR", "italy": "IT", "spain": "ES",
    "netherlands": "NL", "ireland": "IE", "austria": "AT", "belgium": "BE", "switzerland": "CH",
    "poland": "PL", "sweden": "SE", "norway": "NO", "denmark": "DK", "finland": "FI",
    "portugal": "PT", "japan": "JP", "mexico": "MX", "brazil": "BR", "chile": "CL", "israel": "IL",
    "new zealand": "NZ", "singapore": "SG", "south korea": "KR", "hong kong": "HK", "china": "CN",
}  # fmt: skip

Row = dict[str, str]


class MarketExport(msgspec.Struct, frozen=True):
    """A kind of file. `of_order`: columns that stand once for an order of several lines. `fixed`:
    what the file does not say because it is always so. `fees`: header words of fees, which are
    parts of the net amount; `refund`: the type whose rows give money back to a buyer."""

    dataset: str
    title: Mapping[str, str]
    where: Mapping[str, str]
    needs: Sequence[str]
    columns: Mapping[str, Sequence[str]]
    fixed: Mapping[str, str] = {}
    of_order: Sequence[str] = ()
    fees: Sequence[str] = ()
    refund: str = ""


class _Exports(msgspec.Struct, frozen=True):
    marketplaces: Mapping[str, str]  # by currency
    exports: Sequence[MarketExport]


@dataclass(frozen=True)
class KnownExport:
    """A kind of file with the connector of its marketplace."""

    connector: str
    marketplaces: Mapping[str, str]
    export: MarketExport


@dataclass(frozen=True)
class Found:
    """A recognised file: its rows by column, fees by their words."""

    known: KnownExport
    rows: Sequence[Mapping[str, str]]
    fees: Sequence[Mapping[str, str]]

    @property
    def export(self) -> MarketExport:
        return self.known.export


def exports_of(folders: Mapping[str, Path]) -> list[KnownExport]:
    """All kinds of files that the connectors' folders name."""
    found = []
    for connector, folder in folders.items():
        path = folder / FILE_NAME
        if path.is_file():
            content = msgspec.convert(yaml.safe_load(path.read_text("utf-8")), _Exports)
            found += [
                KnownExport(connector, content.marketplaces, export) for export in content.exports
            ]
    return found


def recognise_export(text: str, known: Sequence[KnownExport]) -> Found | None:
    """The kind of file whose header stands in the first lines; None where it is none of these."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=max(",\t;", key=first.count)))
    for number, header in enumerate(lines[:_HEADER_WITHIN]):
        words = [_word(cell) for cell in header]
        for kind in known:
            places = _places(kind.export, words)
            if set(kind.export.needs) <= set(places):
                found = _found(kind, places, words, lines[number + 1 :])
                _check_whole(text, lines[-1], found, len(words), places["order_ref"])
                return found
    return None


def rows_by_dataset(found: Found, channel: str) -> dict[str, list[Row]]:
    """Rows of each dataset that the file fills; FileRefusedError for one that cannot be read."""
    _check_untouched(found)
    if found.export.dataset == "settlements":
        return _transactions(found, channel)
    rows = _filled(found)
    made = [_row(found.export, row, channel) for row in rows]
    return {found.export.dataset: made} if made else {}


def as_csv(rows: Sequence[Row]) -> bytes:
    """The file that goes into the inbox."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _places(export: MarketExport, words: Sequence[str]) -> dict[str, int]:
    return {
        column: words.index(found)
        for column, spellings in export.columns.items()
        if (found := next((s for s in spellings if s in words), None)) is not None
    }


def _found(
    kind: KnownExport,
    places: Mapping[str, int],
    words: Sequence[str],
    lines: Sequence[Sequence[str]],
) -> Found:
    """Rows as wide as they must be; what is said below them (so many records, by whom) is not."""
    fees = {word: words.index(word) for word in kind.export.fees if word in words}
    kept = [line for line in lines if len(line) > max(places.values())]
    return Found(
        kind,
        [{name: _cell(line[at]) for name, at in places.items()} for line in kept],
        [{word: _cell(line[at]) for word, at in fees.items() if at < len(line)} for line in kept],
    )


def _check_whole(
    text: str, last: Sequence[str], found: Found, width: int, order_place: int
) -> None:
    """A last line without its end, too short and with an order is what a cut transfer leaves."""
    ends_open = not text.endswith(("\n", "\r"))
    if (
        ends_open
        and order_place < len(last) < width
        and any(c.isdigit() for c in last[order_place])
    ):
        raise FileRefusedError(
            "half_downloaded",
            f"the last line is cut: download it again ({found.export.where['en']})",
        )


def _check_untouched(found: Found) -> None:
    for row in found.rows:
        for name in _NUMBERS:
            if _CHANGED.fullmatch(row.get(name, "")):
                raise FileRefusedError(
                    "changed_by_spreadsheet",
                    f"a spreadsheet program has changed its numbers ({row[name]}): download it "
                    f"again ({found.export.where['en']}) and import the file without opening it",
                )


def _filled(found: Found) -> Iterator[Mapping[str, str]]:
    """Lines of goods, with what the order says once."""
    head: dict[str, dict[str, str]] = {}
    for row in found.rows:
        of_order = head.setdefault(row["order_ref"], {})
        for name in found.export.of_order:
            if row.get(name):
                of_order.setdefault(name, row[name])
    for row in found.rows:
        if row["order_ref"] and row["quantity"]:
            yield {**row, **{k: v for k, v in head[row["order_ref"]].items() if not row.get(k)}}


def _row(export: MarketExport, row: Mapping[str, str], channel: str) -> Row:
    listing = row.get("listing", "")
    made: Row = {"channel": channel, **{k: v for k, v in row.items() if k != "listing"}}
    made["sku"] = row.get("sku") or listing
    if not made.get("line_ref"):
        made["line_ref"] = made["sku"]
    units = set()
    for name in _AMOUNTS:
        if made.get(name):
            unit, amount = _money(made[name], name)
            made[name] = str(amount)
            units |= {unit} - {""}
    for name in _TIMES:
        if made.get(name):
            made[name] = f"{_day(made[name], name)}T12:00:00Z"
    for name, value in export.fixed.items():
        made[name] = made.get(name) or value
    if export.dataset == "orders":
        made["country"] = _country(made.get("country", ""))
        if not made.get("currency") or units:
            made["currency"] = _one_currency(units, made)
    return made


def _one_currency(units: set[str], row: Row) -> str:
    if len(units) == 1:
        return units.pop()
    if row.get("currency") and not units:
        return row["currency"]
    raise FileRefusedError(
        "no_currency",
        f"order {row['order_ref']} does not say its currency: add a column Currency (USD, EUR …)",
    )


def _transactions(found: Found, channel: str) -> dict[str, list[Row]]:
    """Each part of what was paid out as a line of its payout; refunds as refunds too. Money that is
    not paid out yet stays out until it is: only then its payout has a number."""
    lines: list[Row] = []
    refunds: list[Row] = []
    seen: dict[str, int] = {}
    for row, all_fees in zip(found.rows, found.fees, strict=True):
        # fees in another currency are no parts of what was paid out
        fees = all_fees if row.get("transaction_currency", "") in ("", row["currency"]) else {}
        if not (row["transaction_type"] and row["payout"] and row["net"]):
            continue
        at = f"{_day(row['posted_at'], 'posted_at')}T12:00:00Z"
        known = "|".join(row.get(n, "") for n in ("transaction_type", "reference", "order_ref",
                         "line_ref", "listing", "posted_at", "net"))  # fmt: skip
        seen[known] = seen.get(known, 0) + 1
        for name, amount in _parts(row, fees):
            lines.append(
                {
                    "channel": channel,
                    "settlement_ref": row["payout"],
                    "row_no": _number(row["payout"], known, str(seen[known]), name),
                    "posted_at": at,
                    "transaction_type": row["transaction_type"],
                    "amount": str(amount),
                    "currency": row["currency"],
                    "order_ref": row["order_ref"],
                    "sku": row.get("sku") or row.get("listing") or "",
                    "amount_type": "fee" if name in fees else "amount",
                    "amount_description": name,
                }
            )  # fmt: skip
        if found.export.refund and row["transaction_type"].lower() == found.export.refund:
            refunds.append(_refund(row, channel, at, f"{known}|{seen[known]}"))
    return {k: v for k, v in {"settlements": lines, "refunds": refunds}.items() if v}


def _parts(row: Mapping[str, str], fees: Mapping[str, str]) -> Iterator[tuple[str, Decimal]]:
    """The fees of a row, and what is left of its net amount."""
    left = _money(row["net"], "net amount")[1]
    for name, text in fees.items():
        amount = _money(text, name)[1] if text else Decimal(0)
        if amount:
            left -= amount
            yield name, amount
    if left:
        yield row.get("description") or row["transaction_type"], left


def _refund(row: Mapping[str, str], channel: str, at: str, known: str) -> Row:
    goods = -_money(row.get("goods") or row["net"], "item subtotal")[1]
    shipping = -_money(row["shipping"], "shipping")[1] if row.get("shipping") else Decimal(0)
    tax = -_money(row["tax"], "tax")[1] if row.get("tax") else Decimal(0)
    return {
        "channel": channel,
        "refund_ref": row.get("reference") or _number(known),
        "order_ref": row["order_ref"],
        "sku": row.get("sku") or row.get("listing") or "unknown",
        "refunded_at": at,
        "amount": str(max(goods, Decimal(0))),
        "currency": row.get("transaction_currency") or row["currency"],
        "tax_amount": str(max(tax, Decimal(0))),
        "shipping_amount": str(max(shipping, Decimal(0))),
    }


def _number(*parts: str) -> str:
    """A number that is the same in every download of the same row."""
    digest = hashlib.blake2b("|".join(parts).encode(), digest_size=6).digest()
    return str(int.from_bytes(digest, "big") + 1)


def _day(text: str, column: str) -> str:
    for form in _DAYS:
        found = form.fullmatch(text.strip())
        if found is None:
            continue
        parts = found.groupdict()
        month = parts.get("n") or _month(parts["m"])
        if month:
            year = parts["y"] if len(parts["y"]) == 4 else f"20{parts['y']}"
            return f"{year}-{int(month):02}-{int(parts['d']):02}"
    raise FileRefusedError(
        "unclear_day",
        f"column {column.replace('_', ' ')} has a day that can be read in two ways or not at all "
        f"({text}): download it with English months or ISO days, and do not save it in a "
        "spreadsheet",
    )


def _month(word: str) -> str | None:
    name = word.lower()[:3]
    return str(_MONTHS.index(name) + 1) if name in _MONTHS else None


def _money(text: str, column: str) -> tuple[str, Decimal]:
    """Currency, empty where the cell names none, and the amount."""
    found = _AMOUNT.fullmatch(text.strip().replace("\u2212", "-").replace("\xa0", " "))
    if text.strip() in ("", "--"):
        return "", Decimal(0)
    digits = found["digits"] if found else ""
    if _POINT.fullmatch(digits):
        plain = digits.replace(",", "")
    elif _COMMA.fullmatch(digits):
        plain = digits.replace(".", "").replace(",", ".")
    else:
        plain = ""
    try:
        amount = Decimal(f"{found['sign'] if found else ''}{plain}")
    except InvalidOperation:
        raise FileRefusedError(
            "unclear_amount", f"column {column.replace('_', ' ')} has no amount ({text})"
        ) from None
    unit = (found["unit"] if found else "").strip()
    return _SIGNS.get(unit, unit if len(unit) == 3 else ""), amount


def _country(text: str) -> str:
    code = text.strip()
    if len(code) == 2 and code.isalpha():
        return code.upper()
    return _COUNTRIES.get(code.lower(), "ZZ")


def _cell(text: str) -> str:
    """Without the signs around a text that keep a spreadsheet from changing it."""
    plain = text.strip()
    if plain.startswith('="') and plain.endswith('"'):
        plain = plain[2:-1]
    return "" if plain == "--" else plain


def _word(text: str) -> str:
    return " ".join(text.strip().lstrip("\ufeff").lower().split())
