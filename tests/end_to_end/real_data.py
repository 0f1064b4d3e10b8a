"""Real shop data as files of the inbox, and what a direct count on the sources gives.

Belongs here: the conversion (in the tests, not in the product) and the count. The two share only
the reading of the sources, so that a wrong conversion does not agree with a wrong count.

Olist (Brazilian marketplace) gives an order and its items. An item is one unit, its freight is the
shipping price of the line. Orders without items have no line and are left out. Times are of Sao
Paulo. Its reviews are of orders, one review may be of two: each order's is a review of the order's
first product, on the day its survey was made. A `canceled` order that never reached the carrier is
a cancellation; one that did was sent all the same. An order is one parcel under the order's
number: handed over to the carrier, delivered to the buyer, promised for the estimated day. Orders
without items have a parcel too.

UCI Online Retail (wholesaler) gives invoice lines; its traps are decided like this:

- a line with a positive quantity is an order line; lines of one invoice may repeat a stock code,
  so lines are numbered within the invoice;
- a cancellation (`C` invoice, negative) is not linked to what it cancels. It is an order line of
  its own with the positive quantity, cancelled in full at the time of the invoice; the sale stays
  a sale. Matching it by customer, product and quantity would be a guess;
- a negative line that is no `C` invoice is a stock write-off, nobody ordered it: left out;
- codes that are no product (bank charges, manual corrections, discounts, samples, vouchers …) are
  neither units nor sales of goods: left out. Postage (`POST`, `DOT`, `C2`) is the shipping price of
  the first product line of its invoice; an invoice of postage alone has no order line;
- a missing customer is an unknown customer; times are of London; a country that is none of
  ISO 3166 (European Community, Unspecified, Channel Islands) is ZZ.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from openpyxl import Workbook

OLIST = "olist"
UCI = "uci_retail"
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
LONDON = ZoneInfo("Europe/London")

CARRIER_DATE = "order_delivered_carrier_date"
BUYER_DATE = "order_delivered_customer_date"
POSTAGE = frozenset(("POST", "DOT", "C2"))
NO_PRODUCT = frozenset(("M", "D", "S", "B", "BANK CHARGES", "AMAZONFEE", "CRUK"))
NO_COUNTRY = "ZZ"
COUNTRIES: Mapping[str, str] = {
    "Australia": "AU",
    "Austria": "AT",
    "Bahrain": "BH",
    "Belgium": "BE",
    "Brazil": "BR",
    "Canada": "CA",
    "Cyprus": "CY",
    "Czech Republic": "CZ",
    "Denmark": "DK",
    "EIRE": "IE",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Greece": "GR",
    "Hong Kong": "HK",
    "Iceland": "IS",
    "Israel": "IL",
    "Italy": "IT",
    "Japan": "JP",
    "Lebanon": "LB",
    "Lithuania": "LT",
    "Malta": "MT",
    "Netherlands": "NL",
    "Norway": "NO",
    "Poland": "PL",
    "Portugal": "PT",
    "RSA": "ZA",
    "Saudi Arabia": "SA",
    "Singapore": "SG",
    "Spain": "ES",
    "Sweden": "SE",
    "Switzerland": "CH",
    "USA": "US",
    "United Arab Emirates": "AE",
    "United Kingdom": "GB",
}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Sources:
    """Rows as delivered. `is_real` is false for the small case of our own."""

    olist_orders: list[dict[str, Any]]
    olist_items: list[dict[str, Any]]
    olist_payments: list[dict[str, Any]]
    olist_customers: list[dict[str, Any]]
    olist_reviews: list[dict[str, Any]]
    invoices: list[dict[str, Any]]
    is_real: bool


@dataclass
class Figures:
    """What is compared, for one channel, country and month (UTC) of the order."""

    orders: set[str] = field(default_factory=set)
    lines: int = 0
    units: int = 0
    units_cancelled: int = 0
    net_amount: Decimal = Decimal(0)
    net_cancelled: Decimal = Decimal(0)
    shipping_amount: Decimal = Decimal(0)

    def row(self) -> tuple[int, int, int, int, Decimal, Decimal, Decimal]:
        """As the warehouse gives it."""
        return (
            len(self.orders),
            self.lines,
            self.units,
            self.units_cancelled,
            self.net_amount,
            self.net_cancelled,
            self.shipping_amount,
        )


@dataclass
class Deliveries:
    """What is compared of Olist's parcels, for one month (Sao Paulo) of the delivery."""

    delivered: int = 0
    promised: int = 0
    late: int = 0
    days_late: int = 0
    transit_days: list[Decimal] = field(default_factory=list)

    def row(self) -> tuple[int, int, int, int, int, Decimal]:
        """As the warehouse gives it."""
        timed = self.transit_days
        return (
            self.delivered, self.promised, self.late, self.days_late, len(timed),
            sum(timed, Decimal(0)),
        )  # fmt: skip


Place = tuple[str, str, str]


def read_sources(shared: Path) -> Sources:
    """The files of the shared folder."""
    olist = shared / "data" / "olist_sample"
    parts = sorted((shared / "data" / "online_retail_uci").glob("*.parquet"))
    return Sources(
        olist_orders=pl.read_parquet(olist / "orders.parquet").to_dicts(),
        olist_items=pl.read_parquet(olist / "order_items.parquet").to_dicts(),
        olist_payments=pl.read_parquet(olist / "order_payments.parquet").to_dicts(),
        olist_customers=pl.read_parquet(olist / "customers.parquet").to_dicts(),
        olist_reviews=pl.read_parquet(olist / "order_reviews.parquet").to_dicts(),
        invoices=pl.concat(pl.read_parquet(part) for part in parts).to_dicts(),
        is_real=True,
    )


def own_case() -> Sources:
    """A small case of our own with each of the traps."""
    return Sources(
        olist_orders=[
            _olist_order("a", "delivered", carrier="2018-02-01 10:00:00", buyer="2018-02-09"),
            _olist_order("b", "canceled"),
            _olist_order("c", "canceled", carrier="2018-02-02 10:00:00"),
            _olist_order("d", "unavailable"),
        ],
        olist_items=[
            _olist_item("a", "1", "39.95", "17.93"),
            _olist_item("a", "2", "39.95", "17.93"),
            _olist_item("b", "1", "10.00", "5.10"),
            _olist_item("c", "1", "0.85", "0.00"),
        ],
        olist_payments=[
            {"order_id": "a", "payment_type": "voucher", "payment_value": "15.00"},
            {"order_id": "a", "payment_type": "credit_card", "payment_value": "100.76"},
        ],
        olist_customers=[{"customer_id": "customer-a", "customer_unique_id": "person-1"}],
        olist_reviews=[
            _olist_review("r1", "a", "1", "2018-02-28 00:00:00", "nunca chegou"),
            _olist_review("r1", "c", "5", "2018-02-28 00:00:00"),
            _olist_review("r2", "d", "4", "2018-03-01 00:00:00"),
        ],
        invoices=[
            _invoice("536365", "85123A", 6, 2.55, customer=17850),
            _invoice("536365", "85123A", 2, 2.55, customer=17850),
            _invoice("536365", "POST", 1, 18.0, customer=17850),
            _invoice("536366", "22633", 600, 0.001, country="EIRE"),
            _invoice("536367", "POST", 1, 9.0),
            _invoice("C536379", "22633", -12, 1.85, customer=15311, at="2011-01-31 23:59:00"),
            _invoice("C536379", "D", -1, 27.5, customer=15311, at="2011-01-31 23:59:00"),
            _invoice("536589", "21777", -10, 0.0, country="Unspecified"),
            _invoice("536590", "21777", 3, 7.95, country="Unspecified", at="2011-05-01 00:30:00"),
            _invoice("536591", "BANK CHARGES", 1, 15.0),
        ],
        is_real=False,
    )


def write_inbox(sources: Sources, inbox: Path) -> None:
    """Orders in every format the inbox reads, and the scans of Olist's parcels."""
    scans = list(olist_scans(sources))
    (inbox / "tracking_events").mkdir(parents=True, exist_ok=True)
    _write_csv(inbox / "tracking_events" / "olist-parcels", scans)
    folder = inbox / "orders"
    folder.mkdir(parents=True, exist_ok=True)
    _write_workbook(folder / "olist.xlsx", list(olist_lines(sources)))
    (inbox / "reviews").mkdir(exist_ok=True)
    _write_csv(inbox / "reviews" / "olist-reviews", list(olist_reviews(sources)))
    by_month: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for line in uci_lines(sources):
        by_month[line["ordered_at"][:7]].append(line)
    for number, (month, lines) in enumerate(sorted(by_month.items())):
        _WRITERS[number % len(_WRITERS)](folder / f"uci-{month}", lines)


def olist_lines(sources: Sources) -> Iterator[dict[str, str]]:
    """Order lines of Olist."""
    orders = {order["order_id"]: order for order in sources.olist_orders}
    people = {c["customer_id"]: c["customer_unique_id"] for c in sources.olist_customers}
    methods: dict[str, tuple[Decimal, str]] = {}
    for payment in sources.olist_payments:
        found = (Decimal(payment["payment_value"]), payment["payment_type"])
        methods[payment["order_id"]] = max(found, methods.get(payment["order_id"], found))
    for item in sources.olist_items:
        order = orders[item["order_id"]]
        times = {
            "ordered_at": order["order_purchase_timestamp"],
            "paid_at": order["order_approved_at"],
            "ship_by_at": item["shipping_limit_date"],
            "shipped_at": order["order_delivered_carrier_date"],
            "promised_at": order["order_estimated_delivery_date"],
            "delivered_at": order["order_delivered_customer_date"],
        }
        yield {
            "channel": OLIST,
            "order_ref": order["order_id"],
            "line_ref": item["order_item_id"],
            "sku": item["product_id"],
            "country": "BR",
            "quantity": "1",
            "unit_price": item["price"],
            "currency": "BRL",
            "shipping_price": item["freight_value"],
            "status": order["order_status"],
            "payment_method": methods.get(order["order_id"], (Decimal(0), ""))[1],
            "customer_ref": people.get(order["customer_id"], ""),
            **{name: _with_offset(text, SAO_PAULO) for name, text in times.items()},
        }


def olist_scans(sources: Sources) -> Iterator[dict[str, str]]:
    """Scans of Olist's parcels."""
    for order in sources.olist_orders:
        for status, name in (("ACCEPTED", CARRIER_DATE), ("DELIVERED", BUYER_DATE)):
            if order[name]:
                yield {
                    "carrier": OLIST,
                    "tracking_number": order["order_id"],
                    "event_at": _with_offset(order[name], SAO_PAULO),
                    "status": status,
                    "location_country": "BR",
                    "promised_date": (order["order_estimated_delivery_date"] or "")[:10],
                    "order_ref": order["order_id"],
                }


def olist_reviews(sources: Sources) -> Iterator[dict[str, str]]:
    """Reviews of Olist; an order without items has no product, its own number stands for one."""
    products = {item["order_id"]: item["product_id"] for item in reversed(sources.olist_items)}
    for review in sources.olist_reviews:
        product = products.get(review["order_id"])
        yield {
            "source": OLIST,
            "channel": OLIST,
            "review_id": f"{review['review_id']}-{review['order_id']}",
            "order_ref": review["order_id"],
            "sku": product or "",
            "product_ref": "" if product else review["order_id"],
            "rating": review["review_score"],
            "created_at": _with_offset(review["review_creation_date"], SAO_PAULO),
            "title": review["review_comment_title"] or "",
            "body": review["review_comment_message"] or "",
        }


def stars_by_month(sources: Sources) -> dict[str, tuple[int, int]]:
    """Reviews and the sum of their stars by month of the survey, counted on the source."""
    found: dict[str, tuple[int, int]] = {}
    for review in sources.olist_reviews:
        reviews, stars = found.get(review["review_creation_date"][:7], (0, 0))
        found[review["review_creation_date"][:7]] = reviews + 1, stars + int(review["review_score"])
    return found


def uci_lines(sources: Sources) -> Iterator[dict[str, str]]:
    """Order lines of UCI Online Retail."""
    postage: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in sources.invoices:
        if row["StockCode"] in POSTAGE and is_order_line(row):
            postage[row["InvoiceNo"]] += abs(row["Quantity"]) * price(row)
    numbers: defaultdict[str, int] = defaultdict(int)
    for row in sources.invoices:
        if not is_order_line(row) or not is_product(row["StockCode"]):
            continue
        invoice = row["InvoiceNo"]
        numbers[invoice] += 1
        at = row["InvoiceDate"].replace(tzinfo=LONDON).isoformat()
        yield {
            "channel": UCI,
            "order_ref": invoice,
            "line_ref": str(numbers[invoice]),
            "sku": row["StockCode"],
            "ordered_at": at,
            "country": COUNTRIES.get(row["Country"], NO_COUNTRY),
            "quantity": str(abs(row["Quantity"])),
            "unit_price": str(price(row)),
            "currency": "GBP",
            "shipping_price": str(postage.pop(invoice, Decimal(0))),
            "status": "cancelled" if row["Quantity"] < 0 else "",
            "cancelled_at": at if row["Quantity"] < 0 else "",
            "customer_ref": "" if row["CustomerID"] is None else str(row["CustomerID"]),
        }


def is_product(code: str) -> bool:
    """Whether a stock code of UCI names goods."""
    word = code.upper()
    return word not in POSTAGE | NO_PRODUCT and not word.startswith("GIFT_")


def is_order_line(row: Row) -> bool:
    """Whether an invoice line of UCI is a sale or a cancellation, no stock write-off."""
    return row["Quantity"] > 0 or row["InvoiceNo"].startswith("C")


def price(row: Row) -> Decimal:
    """Unit price of a UCI line; three decimals are the most that the file has."""
    return Decimal(repr(row["UnitPrice"])).quantize(Decimal("0.0001"))


def direct_count(sources: Sources) -> dict[Place, Figures]:
    """The figures, counted on the sources."""
    return _count_olist(sources) | _count_uci(sources)


def _count_olist(sources: Sources) -> dict[Place, Figures]:
    found: defaultdict[Place, Figures] = defaultdict(Figures)
    items: defaultdict[str, list[Row]] = defaultdict(list)
    for item in sources.olist_items:
        items[item["order_id"]].append(item)
    for order in sources.olist_orders:
        if not items[order["order_id"]]:
            continue
        was_sent = order["order_delivered_carrier_date"] or order["order_delivered_customer_date"]
        is_cancelled = order["order_status"] == "canceled" and not was_sent
        at = datetime.fromisoformat(order["order_purchase_timestamp"]).replace(tzinfo=SAO_PAULO)
        figures = found[OLIST, "BR", _month(at)]
        figures.orders.add(order["order_id"])
        for item in items[order["order_id"]]:
            figures.lines += 1
            figures.units += 1
            figures.net_amount += Decimal(item["price"])
            figures.shipping_amount += Decimal(item["freight_value"])
            if is_cancelled:
                figures.units_cancelled += 1
                figures.net_cancelled += Decimal(item["price"])
    return dict(found)


def count_deliveries(sources: Sources) -> dict[str, Deliveries]:
    """Late deliveries and transit days of Olist, counted on the source by month of the delivery."""
    found: defaultdict[str, Deliveries] = defaultdict(Deliveries)
    for order in sources.olist_orders:
        if not order[BUYER_DATE]:
            continue
        delivered = datetime.fromisoformat(order[BUYER_DATE])
        figures = found[f"{delivered:%Y-%m}"]
        figures.delivered += 1
        if order["order_estimated_delivery_date"]:
            promised = datetime.fromisoformat(order["order_estimated_delivery_date"])
            days = (delivered.date() - promised.date()).days
            figures.promised += 1
            figures.late += days > 0
            figures.days_late += days
        if order[CARRIER_DATE]:
            handed = datetime.fromisoformat(order[CARRIER_DATE]).replace(tzinfo=SAO_PAULO)
            gone = delivered.replace(tzinfo=SAO_PAULO).timestamp() - handed.timestamp()
            days_gone = Decimal(int(gone)) / 86_400
            figures.transit_days.append(days_gone.quantize(Decimal("0.01"), ROUND_HALF_UP))
    return dict(found)


def _count_uci(sources: Sources) -> dict[Place, Figures]:
    """Cancellations count by the time of the cancelling invoice, postage where its goods are."""
    found: defaultdict[Place, Figures] = defaultdict(Figures)
    first_goods: dict[str, Place] = {}
    charges: list[tuple[str, Decimal]] = []
    for row in sources.invoices:
        invoice, code, quantity = row["InvoiceNo"], row["StockCode"], row["Quantity"]
        if quantity <= 0 and invoice[0] != "C":
            continue
        money = abs(quantity) * price(row)
        if code in POSTAGE:
            charges.append((invoice, money))
        if not is_product(code):
            continue
        at = row["InvoiceDate"].replace(tzinfo=LONDON)
        place = (UCI, COUNTRIES.get(row["Country"], NO_COUNTRY), _month(at))
        first_goods.setdefault(invoice, place)
        figures = found[place]
        figures.orders.add(invoice)
        figures.lines += 1
        figures.units += abs(quantity)
        figures.net_amount += money
        if invoice[0] == "C":
            figures.units_cancelled += abs(quantity)
            figures.net_cancelled += money
    for invoice, money in charges:
        if invoice in first_goods:
            found[first_goods[invoice]].shipping_amount += money
    return dict(found)


def _month(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m")


def _with_offset(text: str | None, zone: ZoneInfo) -> str:
    return "" if not text else datetime.fromisoformat(text).replace(tzinfo=zone).isoformat()


def _write_workbook(path: Path, lines: list[dict[str, str]]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(lines[0]))
    for line in lines:
        sheet.append(list(line.values()))
    book.save(path)


def _csv_text(lines: Iterable[dict[str, str]]) -> str:
    rows = list(lines)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _write_csv(path: Path, lines: list[dict[str, str]]) -> None:
    path.with_name(f"{path.name}.csv").write_text(_csv_text(lines), encoding="utf-8")


def _write_csv_gz(path: Path, lines: list[dict[str, str]]) -> None:
    with gzip.open(path.with_name(f"{path.name}.csv.gz"), "wt", encoding="utf-8") as file:
        file.write(_csv_text(lines))


def _write_parquet(path: Path, lines: list[dict[str, str]]) -> None:
    frame = pl.DataFrame(lines).with_columns(
        pl.col("quantity").cast(pl.Int64),
        pl.col("unit_price").cast(pl.Decimal(18, 4)),
        pl.col("ordered_at").str.to_datetime("%+", time_unit="us").dt.convert_time_zone("UTC"),
    )
    frame.write_parquet(path.with_name(f"{path.name}.parquet"))


_WRITERS = (_write_csv, _write_csv_gz, _write_parquet)


def _olist_order(name: str, status: str, carrier: str = "", buyer: str = "") -> dict[str, Any]:
    return {
        "order_id": name,
        "customer_id": f"customer-{name}",
        "order_status": status,
        "order_purchase_timestamp": "2018-01-31 22:30:00",
        "order_approved_at": None,
        "order_delivered_carrier_date": carrier or None,
        "order_delivered_customer_date": f"{buyer} 15:15:42" if buyer else None,
        "order_estimated_delivery_date": "2018-02-27 00:00:00",
    }


def _olist_review(
    number: str, order: str, score: str, made: str, text: str | None = None
) -> dict[str, Any]:
    return {
        "review_id": number,
        "order_id": order,
        "review_score": score,
        "review_comment_title": None,
        "review_comment_message": text,
        "review_creation_date": made,
        "review_answer_timestamp": made,
    }


def _olist_item(order: str, number: str, amount: str, freight: str) -> dict[str, Any]:
    return {
        "order_id": order,
        "order_item_id": number,
        "product_id": "2ebf71f199b0",
        "seller_id": "4c18691b6037",
        "shipping_limit_date": "2018-02-04 22:47:21",
        "price": amount,
        "freight_value": freight,
    }


def _invoice(
    number: str,
    code: str,
    quantity: int,
    unit_price: float,
    customer: int | None = None,
    country: str = "United Kingdom",
    at: str = "2010-12-01 08:26:00",
) -> dict[str, Any]:
    return {
        "InvoiceNo": number,
        "StockCode": code,
        "Description": "WHITE HANGING HEART",
        "Quantity": quantity,
        "InvoiceDate": datetime.fromisoformat(at),
        "UnitPrice": unit_price,
        "CustomerID": customer,
        "Country": country,
    }
