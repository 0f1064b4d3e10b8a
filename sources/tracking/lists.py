"""Lists that ship with the connector and every source of parcels needs: statuses and carriers.

Belongs here: their records and static streams. Does not belong here: the content (CSV files beside
this module) and what a vendor answers.

`statuses.csv` gives the vendors' words their canonical milestone and exception,
`file_statuses.csv` the words that sellers' and carriers' files use. `carrier_words.csv` says which
carrier a word means, `carriers.csv` what is known of it: the vendors' own keys are there, so that a
new one is a line and no code.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sources._core.records import Record
from sources._core.static import csv_stream, static_streams

HERE = Path(__file__).parent


class Status(Record, kw_only=True):
    """A status of a source and what it means; `milestone` KEEP: that of the event before."""

    source: str
    native_status: str
    native_substatus: str | None = None
    milestone: str
    exception_code: str | None = None
    terminal: str
    counts_as_attempt: str
    note: str | None = None


class Carrier(Record):
    """A carrier by its canonical word; keys are those of the vendors."""

    carrier: str
    carrier_name: str
    is_express: str
    seventeentrack_key: str | None = None
    aftership_slug: str | None = None


class CarrierWord(Record):
    """A word that sellers, marketplaces and carriers use for a carrier."""

    word: str
    carrier: str


class CountryCode(Record):
    """The three letters of a country and its two."""

    alpha3: str
    country: str


_STATUS_KEY = ("native_status", "native_substatus", "source")
STREAMS = (
    csv_stream("statuses", HERE / "statuses.csv", Status, _STATUS_KEY),
    csv_stream("file_statuses", HERE / "file_statuses.csv", Status, _STATUS_KEY),
    csv_stream("carriers", HERE / "carriers.csv", Carrier, ("carrier",)),
    csv_stream("carrier_words", HERE / "carrier_words.csv", CarrierWord, ("word",)),
    csv_stream("country_codes", HERE / "country_codes.csv", CountryCode, ("alpha3",)),
    *static_streams(HERE),
)


@dataclass(frozen=True)
class CarrierKeys:
    """A vendor's key of each carrier, and back."""

    by_carrier: Mapping[str, str]

    @functools.cached_property
    def by_key(self) -> Mapping[str, str]:
        return {key: carrier for carrier, key in self.by_carrier.items()}

    def carrier_of(self, key: object) -> str | None:
        """Our word for the carrier of a vendor's key; None where nobody said whose it is."""
        return self.by_key.get(str(key)) if key is not None else None


def carrier_keys(column: str, overrides: Mapping[str, str]) -> CarrierKeys:
    """From `carriers.csv`; an account's own keys come first."""
    with (HERE / "carriers.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["carrier"]: row[column] for row in csv.DictReader(file) if row[column]}
    return CarrierKeys({**listed, **overrides})
