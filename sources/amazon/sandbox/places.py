"""Amazon's marketplaces as the sandbox serves them: identifiers, hosts, zones, money.

A list of its own, on purpose: the connector has one too, and a slip in either shows as a
difference instead of agreeing with itself.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One marketplace. `group` is the region whose authorisation covers it."""

    country: str
    marketplace_id: str
    group: str
    currency: str
    time_zone: str
    host: str
    language: str
    prices_include_tax: bool = True

    @property
    def domain(self) -> str:
        return f"www.{self.host.lower()}"


_ROWS = (
    ("US", "ATVPDKIKX0DER", "NA", "USD", "America/Los_Angeles", "Amazon.com", "en_US"),
    ("CA", "A2EUQ1WTGCTBG2", "NA", "CAD", "America/Los_Angeles", "Amazon.ca", "en_CA"),
    ("MX", "A1AM78C64UM0Y8", "NA", "MXN", "America/Los_Angeles", "Amazon.com.mx", "es_MX"),
    ("BR", "A2Q3Y263D00KWC", "NA", "BRL", "America/Sao_Paulo", "Amazon.com.br", "pt_BR"),
    ("GB", "A1F83G8C2ARO7P", "EU", "GBP", "Europe/London", "Amazon.co.uk", "en_GB"),
    ("IE", "A28R8C7NBKEWEA", "EU", "EUR", "Europe/Dublin", "Amazon.ie", "en_IE"),
    ("DE", "A1PA6795UKMFR9", "EU", "EUR", "Europe/Berlin", "Amazon.de", "de_DE"),
    ("FR", "A13V1IB3VIYZZH", "EU", "EUR", "Europe/Paris", "Amazon.fr", "fr_FR"),
    ("IT", "APJ6JRA9NG5V4", "EU", "EUR", "Europe/Rome", "Amazon.it", "it_IT"),
    ("ES", "A1RKKUPIHCS9HS", "EU", "EUR", "Europe/Madrid", "Amazon.es", "es_ES"),
    ("NL", "A1805IZSGTT6HS", "EU", "EUR", "Europe/Amsterdam", "Amazon.nl", "nl_NL"),
    ("BE", "AMEN7PMS3EDWL", "EU", "EUR", "Europe/Brussels", "Amazon.com.be", "fr_BE"),
    ("SE", "A2NODRKZP88ZB9", "EU", "SEK", "Europe/Stockholm", "Amazon.se", "sv_SE"),
    ("PL", "A1C3SOZRARQ6R3", "EU", "PLN", "Europe/Warsaw", "Amazon.pl", "pl_PL"),
    ("TR", "A33AVAJ2PDY3EV", "EU", "TRY", "Europe/Istanbul", "Amazon.com.tr", "tr_TR"),
    ("AE", "A2VIGQ35RCS4UG", "EU", "AED", "Asia/Dubai", "Amazon.ae", "ar_AE"),
    ("SA", "A17E79C6D8DWNP", "EU", "SAR", "Asia/Riyadh", "Amazon.sa", "ar_SA"),
    ("EG", "ARBP9OOSHTCHU", "EU", "EGP", "Africa/Cairo", "Amazon.eg", "ar_EG"),
    ("ZA", "AE08WJ6YKNBMC", "EU", "ZAR", "Africa/Johannesburg", "Amazon.co.za", "en_ZA"),
    ("IN", "A21TJRUUN4KGV", "EU", "INR", "Asia/Kolkata", "Amazon.in", "en_IN"),
    ("JP", "A1VC38T7YXB528", "FE", "JPY", "Asia/Tokyo", "Amazon.co.jp", "ja_JP"),
    ("AU", "A39IBJ37TRP1C6", "FE", "AUD", "Australia/Sydney", "Amazon.com.au", "en_AU"),
    ("SG", "A19VAU5U5O7RUS", "FE", "SGD", "Asia/Singapore", "Amazon.sg", "en_SG"),
)

WITHOUT_TAX = frozenset({"US", "CA"})
"""Where the price a buyer sees, and reports show, has no tax in it."""

PLACES = {row[0]: Place(*row, prices_include_tax=row[0] not in WITHOUT_TAX) for row in _ROWS}
BY_ID = {place.marketplace_id: place for place in PLACES.values()}
POSITIONS = {place.marketplace_id: position for position, place in enumerate(PLACES.values())}


def country_of(marketplace: str) -> str:
    """`amazon_de`, `DE` or `de` -> `DE`."""
    return marketplace.removeprefix("amazon_").upper()


def place_of(marketplace: str) -> Place:
    return PLACES[country_of(marketplace)]
