"""The ECB's files of reference rates as the sandbox serves them, up to its clock.

Rates of a day appear at about 16:00 in Frankfurt. The history has an empty last column, `N/A` for
missing rates, newest day first; the XML files have the same numbers.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from threading import Lock
from xml.sax.saxutils import quoteattr
from zoneinfo import ZoneInfo

import polars as pl

from sources._sandbox.api_faults import SLOW_ANSWER_S, ApiFaults, source_faults
from sources._sandbox.server import Environment, Request, Response

_FRANKFURT = ZoneInfo("Europe/Berlin")
_PUBLISHED = time(16, 0)
_ORDER = [
    "USD",
    "JPY",
    "BGN",
    "CZK",
    "DKK",
    "GBP",
    "HUF",
    "PLN",
    "RON",
    "SEK",
    "CHF",
    "ISK",
    "NOK",
    "TRY",
    "AUD",
    "BRL",
    "CAD",
    "CNY",
    "HKD",
    "IDR",
    "ILS",
    "INR",
    "KRW",
    "MXN",
    "MYR",
    "NZD",
    "PHP",
    "SGD",
    "THB",
    "ZAR",
]
_ZIP_TIME = (2000, 1, 1, 0, 0, 0)


class RatesSandbox:
    """Serves `eurofxref-hist.zip`, `eurofxref-hist-90d.xml` and `eurofxref-daily.xml`."""

    def __init__(self, environment: Environment) -> None:
        self._clock = environment.clock
        self._rates = environment.world.fx_rates
        self._faults = ApiFaults(environment.scenario.seed, environment.scenario.api.shares)
        self._source_faults = source_faults("fx", environment.scenario.faults)
        self._kept: dict[tuple[str, date], bytes] = {}
        self._lock = Lock()
        self._files: dict[str, tuple[str, Callable[[pl.DataFrame], bytes]]] = {
            "eurofxref-hist.zip": ("application/zip", history_zip),
            "eurofxref-hist-90d.xml": ("text/xml", lambda rates: rates_xml(_last_days(rates, 90))),
            "eurofxref-daily.xml": ("text/xml", lambda rates: rates_xml(_last_days(rates, 0))),
        }

    def handle(self, request: Request) -> Response:
        if self._source_faults.is_out(self._clock):
            return Response(503, b"Service Unavailable")
        name = request.path.rpartition("/")[2]
        if request.method != "GET" or name not in self._files:
            return Response(404, b"Not Found")
        fault = self._faults.next_fault(name)
        if fault == "http_503":
            return Response(503, b"Service Unavailable")
        content_type, make = self._files[name]
        response = Response(200, self._body(name, make), {"Content-Type": content_type})
        if fault == "truncated":
            return replace(response, is_truncated=True)
        return replace(response, delay_s=SLOW_ANSWER_S) if fault == "slow" else response

    def _body(self, name: str, make: Callable[[pl.DataFrame], bytes]) -> bytes:
        until = last_published(self._clock.now())
        with self._lock:
            if (name, until) not in self._kept:
                self._kept[name, until] = make(self._rates.filter(pl.col("rate_date") <= until))
            return self._kept[name, until]


def last_published(now: datetime) -> date:
    """The last day whose rates are out: today's from 16:00 in Frankfurt on."""
    local = now.astimezone(_FRANKFURT)
    return local.date() if local.time() >= _PUBLISHED else local.date() - timedelta(days=1)


def history_zip(rates: pl.DataFrame) -> bytes:
    """The whole history as the one CSV in the ECB's archive."""
    currencies = _in_order(rates)
    table = (
        rates.pivot(on="currency", index="rate_date", values="units_per_eur")
        .sort("rate_date", descending=True)
        .select(
            pl.col("rate_date").cast(pl.String).alias("Date"),
            *(pl.col(currency).fill_null("N/A") for currency in currencies),
            pl.lit("").alias(""),
        )
        if rates.height
        else pl.DataFrame({"Date": [], "": []}, schema={"Date": pl.String, "": pl.String})
    )
    content = table.write_csv(quote_style="never")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("eurofxref-hist.csv", _ZIP_TIME), content)
    return buffer.getvalue()


def rates_xml(rates: pl.DataFrame) -> bytes:
    """Days newest first, each with its currencies in the ECB's order."""
    currencies = {currency: place for place, currency in enumerate(_in_order(rates))}
    days = []
    for (day,), group in rates.sort("rate_date", descending=True).group_by(
        "rate_date", maintain_order=True
    ):
        pairs = sorted(
            zip(group["currency"], group["units_per_eur"], strict=True),
            key=lambda pair: currencies[pair[0]],
        )
        cubes = "".join(
            f"<Cube currency={quoteattr(currency)} rate={quoteattr(rate)}/>"
            for currency, rate in pairs
        )
        days.append(f'<Cube time="{day}">{cubes}</Cube>')
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"'
        ' xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">'
        "<gesmes:subject>Reference rates</gesmes:subject>"
        "<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>"
        f"<Cube>{''.join(days)}</Cube></gesmes:Envelope>"
    ).encode()


def _in_order(rates: pl.DataFrame) -> list[str]:
    present = set(rates["currency"].unique().to_list())
    return [c for c in _ORDER if c in present] + sorted(present.difference(_ORDER))


def _last_days(rates: pl.DataFrame, days: int) -> pl.DataFrame:
    """Rates of the last day and of `days` calendar days before it."""
    return rates.filter(pl.col("rate_date") >= pl.col("rate_date").max() - timedelta(days=days))


def create_app(environment: Environment) -> RatesSandbox:
    return RatesSandbox(environment)
