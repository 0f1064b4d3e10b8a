"""Countries, currencies and marketplaces as a seller meets them.

Belongs here: facts of the outer world in the roughness a simulation needs. Does not belong here:
anything of the scenario. The connectors have their own, exact lists; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """`tax_bp`: usual VAT, GST or sales tax in basis points; `returns`: how readily goods go back
    (1 = average); `phone`: dialling code."""

    code: str
    language: str
    currency: str
    tax_bp: int
    time_zone: str
    phone: str
    cities: tuple[tuple[str, str], ...]
    returns: float = 1.0


def _country(
    code: str,
    language: str,
    currency: str,
    tax_bp: int,
    zone: str,
    phone: str,
    cities: str,
    returns: float = 1.0,
) -> Country:
    pairs = (city.partition("/") for city in cities.split(", "))
    places = tuple((city, state) for city, _, state in pairs)
    return Country(code, language, currency, tax_bp, zone, phone, places, returns)


COUNTRIES: Mapping[str, Country] = {
    country.code: country
    for country in (
        _country(
            "US",
            "en",
            "USD",
            700,
            "America/Los_Angeles",
            "1",
            "Austin/TX, Seattle/WA, Columbus/OH, Miami/FL, Denver/CO, Newark/NJ",
        ),
        _country(
            "CA",
            "en",
            "CAD",
            1200,
            "America/Los_Angeles",
            "1",
            "Toronto/ON, Vancouver/BC, Montréal/QC",
            0.9,
        ),
        _country(
            "MX",
            "es",
            "MXN",
            1600,
            "America/Los_Angeles",
            "52",
            "Guadalajara/JAL, Puebla/PUE, Ciudad de México/CDMX",
            0.7,
        ),
        _country(
            "BR",
            "pt",
            "BRL",
            1700,
            "America/Sao_Paulo",
            "55",
            "São Paulo/SP, Curitiba/PR, Recife/PE",
            0.7,
        ),
        _country(
            "GB",
            "en",
            "GBP",
            2000,
            "Europe/London",
            "44",
            "Leeds/West Yorkshire, Bristol/Avon, Glasgow/Lanarkshire",
            1.1,
        ),
        _country("IE", "en", "EUR", 2300, "Europe/Dublin", "353", "Cork/CO, Galway/G"),
        _country(
            "DE",
            "de",
            "EUR",
            1900,
            "Europe/Berlin",
            "49",
            "Köln/NRW, München/BY, Leipzig/SN, Göttingen/NI, Hamburg/HH",
            1.35,
        ),
        _country("AT", "de", "EUR", 2000, "Europe/Vienna", "43", "Graz/, Linz/", 1.3),
        _country(
            "FR",
            "fr",
            "EUR",
            2000,
            "Europe/Paris",
            "33",
            "Lyon/, Besançon/, Nîmes/, Orléans/",
            0.95,
        ),
        _country("IT", "it", "EUR", 2200, "Europe/Rome", "39", "Bologna/BO, Torino/TO", 0.8),
        _country("ES", "es", "EUR", 2100, "Europe/Madrid", "34", "Málaga/, Zaragoza/", 0.9),
        _country("NL", "nl", "EUR", 2100, "Europe/Amsterdam", "31", "Utrecht/, Breda/", 1.1),
        _country("BE", "fr", "EUR", 2100, "Europe/Brussels", "32", "Gent/, Liège/"),
        _country("SE", "sv", "SEK", 2500, "Europe/Stockholm", "46", "Malmö/, Göteborg/"),
        _country("PL", "pl", "PLN", 2300, "Europe/Warsaw", "48", "Kraków/, Łódź/", 0.9),
        _country("TR", "tr", "TRY", 2000, "Europe/Istanbul", "90", "İzmir/, Ankara/", 0.8),
        _country("AE", "ar", "AED", 500, "Asia/Dubai", "971", "Dubai/DU, Sharjah/SH", 0.6),
        _country("SA", "ar", "SAR", 1500, "Asia/Riyadh", "966", "Riyadh/, Jeddah/", 0.6),
        _country("EG", "ar", "EGP", 1400, "Africa/Cairo", "20", "Cairo/, Giza/", 0.6),
        _country("ZA", "en", "ZAR", 1500, "Africa/Johannesburg", "27", "Durban/, Pretoria/", 0.7),
        _country("IN", "en", "INR", 1800, "Asia/Kolkata", "91", "Pune/MH, Jaipur/RJ", 0.9),
        _country(
            "JP",
            "ja",
            "JPY",
            1000,
            "Asia/Tokyo",
            "81",
            "横浜市/神奈川県, 大阪市/大阪府, 札幌市/北海道",
            0.55,
        ),
        _country("AU", "en", "AUD", 1000, "Australia/Sydney", "61", "Perth/WA, Hobart/TAS", 0.8),
        _country("SG", "en", "SGD", 900, "Asia/Singapore", "65", "Singapore/", 0.7),
        _country("CN", "zh", "CNY", 1300, "Asia/Shanghai", "86", "杭州/浙江, 东莞/广东", 0.8),
        _country("KR", "ko", "KRW", 1000, "Asia/Seoul", "82", "Busan/, Incheon/", 0.7),
        _country("TH", "th", "THB", 700, "Asia/Bangkok", "66", "Chiang Mai/, Bangkok/", 0.7),
        _country("VN", "vi", "VND", 1000, "Asia/Ho_Chi_Minh", "84", "Hanoi/, Da Nang/", 0.7),
        _country("MY", "en", "MYR", 600, "Asia/Kuala_Lumpur", "60", "Ipoh/, Penang/", 0.7),
        _country("PH", "en", "PHP", 1200, "Asia/Manila", "63", "Cebu/, Davao/", 0.7),
        _country("ID", "id", "IDR", 1100, "Asia/Jakarta", "62", "Bandung/, Surabaya/", 0.7),
        _country("CL", "es", "CLP", 1900, "America/Santiago", "56", "Valparaíso/, Temuco/", 0.7),
        _country("CO", "es", "COP", 1900, "America/Bogota", "57", "Medellín/, Cali/", 0.7),
    )
}


def country(code: str) -> Country:
    """A country by code; one that is not in the list is plain (English, US dollars, no tax)."""
    known = COUNTRIES.get(code)
    return known or Country(code, "en", "USD", 0, "UTC", "999", (("Capital", ""),))


AMAZON: Mapping[str, tuple[str, str, str, bool]] = {
    # marketplace id, sales channel, region group, prices include tax
    "US": ("ATVPDKIKX0DER", "Amazon.com", "NA", False),
    "CA": ("A2EUQ1WTGCTBG2", "Amazon.ca", "NA", False),
    "MX": ("A1AM78C64UM0Y8", "Amazon.com.mx", "NA", True),
    "BR": ("A2Q3Y263D00KWC", "Amazon.com.br", "NA", True),
    "GB": ("A1F83G8C2ARO7P", "Amazon.co.uk", "EU", True),
    "IE": ("A28R8C7NBKEWEA", "Amazon.ie", "EU", True),
    "DE": ("A1PA6795UKMFR9", "Amazon.de", "EU", True),
    "FR": ("A13V1IB3VIYZZH", "Amazon.fr", "EU", True),
    "IT": ("APJ6JRA9NG5V4", "Amazon.it", "EU", True),
    "ES": ("A1RKKUPIHCS9HS", "Amazon.es", "EU", True),
    "NL": ("A1805IZSGTT6HS", "Amazon.nl", "EU", True),
    "BE": ("AMEN7PMS3EDWL", "Amazon.com.be", "EU", True),
    "SE": ("A2NODRKZP88ZB9", "Amazon.se", "EU", True),
    "PL": ("A1C3SOZRARQ6R3", "Amazon.pl", "EU", True),
    "TR": ("A33AVAJ2PDY3EV", "Amazon.com.tr", "EU", True),
    "AE": ("A2VIGQ35RCS4UG", "Amazon.ae", "EU", True),
    "SA": ("A17E79C6D8DWNP", "Amazon.sa", "EU", True),
    "EG": ("ARBP9OOSHTCHU", "Amazon.eg", "EU", True),
    "ZA": ("AE08WJ6YKNBMC", "Amazon.co.za", "EU", True),
    "IN": ("A21TJRUUN4KGV", "Amazon.in", "EU", True),
    "JP": ("A1VC38T7YXB528", "Amazon.co.jp", "FE", True),
    "AU": ("A39IBJ37TRP1C6", "Amazon.com.au", "FE", True),
    "SG": ("A19VAU5U5O7RUS", "Amazon.sg", "FE", True),
}

EBAY: Mapping[str, tuple[str, str]] = {
    # marketplace id, region group
    "US": ("EBAY_US", "NA"),
    "CA": ("EBAY_CA", "NA"),
    "GB": ("EBAY_GB", "EU"),
    "IE": ("EBAY_IE", "EU"),
    "DE": ("EBAY_DE", "EU"),
    "AT": ("EBAY_AT", "EU"),
    "FR": ("EBAY_FR", "EU"),
    "IT": ("EBAY_IT", "EU"),
    "ES": ("EBAY_ES", "EU"),
    "NL": ("EBAY_NL", "EU"),
    "BE": ("EBAY_BE", "EU"),
    "PL": ("EBAY_PL", "EU"),
    "AU": ("EBAY_AU", "FE"),
    "SG": ("EBAY_SG", "FE"),
    "MY": ("EBAY_MY", "FE"),
    "PH": ("EBAY_PH", "FE"),
}

WALMART: Mapping[str, str] = {
    "US": "America/Los_Angeles",
    "CA": "America/Toronto",
    "MX": "America/Mexico_City",
    "CL": "America/Santiago",
}
"""Time zone of each market; every one is a region of its own."""

WFS_CENTRES: Mapping[str, tuple[str, ...]] = {"US": ("WFS-ATL3", "WFS-LAX2")}
"""Walmart's own centres; other markets are sent to by the sellers."""

NEIGHBOURS: Mapping[str, tuple[str, ...]] = {
    "DE": ("AT", "NL", "PL"),
    "FR": ("BE", "ES"),
    "ES": ("FR",),
    "IT": ("FR", "AT"),
    "NL": ("BE", "DE"),
    "BE": ("FR", "NL"),
    "GB": ("IE",),
    "US": ("MX",),
    "CA": ("US",),
    "JP": ("SG",),
}
"""Where a marketplace also ships now and then."""

FBA_CENTRES: Mapping[str, tuple[str, ...]] = {
    "US": ("ONT8", "PHX6", "TEB9", "ABE8", "DFW7"),
    "CA": ("YYZ4", "YVR2"),
    "MX": ("MEX5",),
    "BR": ("GRU5",),
    "GB": ("BHX4", "LTN4", "EDI4"),
    "DE": ("DTM2", "LEJ1", "FRA3", "MUC3"),
    "FR": ("ORY4", "LYS1"),
    "IT": ("MXP5", "FCO1"),
    "ES": ("BCN1", "MAD4"),
    "PL": ("WRO5", "POZ1"),
    "SE": ("NBS3",),
    "NL": ("RTM1",),
    "IN": ("BOM7", "DEL5"),
    "AE": ("DXB3",),
    "JP": ("NRT5", "KIX3", "HND8"),
    "AU": ("MEL1", "BWU1"),
    "SG": ("SIN2",),
}

FBA_CARRIERS: Mapping[str, tuple[str, ...]] = {
    "NA": ("AMZN_US", "UPS", "USPS"),
    "EU": ("AMZN_EU", "DHL", "DPD"),
    "FE": ("AMZN_JP", "YAMATO", "SAGAWA"),
}

WFS_CARRIERS = ("FedEx", "UPS", "USPS")

ZERO_DECIMALS = frozenset({"JPY", "KRW", "VND", "CLP"})

UNITS_PER_EUR: Mapping[str, float] = {
    "EUR": 1.0, "USD": 1.1172, "JPY": 175.68, "CZK": 24.3, "DKK": 7.4609, "GBP": 0.8338,
    "HUF": 389.0, "PLN": 4.25, "RON": 5.09, "SEK": 11.0, "CHF": 0.934, "ISK": 143.0, "NOK": 11.7,
    "TRY": 49.5, "AUD": 1.77, "BRL": 6.2, "CAD": 1.62, "CNY": 7.4326, "HKD": 8.69, "IDR": 19150.0,
    "ILS": 3.8, "INR": 102.0, "KRW": 1655.0, "MXN": 21.4, "MYR": 4.88, "NZD": 2.01, "PHP": 68.0,
    "SGD": 1.5, "THB": 37.6, "ZAR": 20.1,
    "AED": 4.1, "SAR": 4.19, "EGP": 54.0, "TWD": 35.9, "VND": 29400.0, "CLP": 1078.0,
    "COP": 4480.0, "ARS": 1650.0, "NGN": 1630.0,
}  # fmt: skip

ECB_LACKS = frozenset({"AED", "SAR", "EGP", "TWD", "VND", "CLP", "COP", "ARS", "NGN"})


def decimals(currency: str) -> int:
    return 0 if currency in ZERO_DECIMALS else 2


def units_per_usd(currency: str) -> float:
    return UNITS_PER_EUR.get(currency, UNITS_PER_EUR["USD"]) / UNITS_PER_EUR["USD"]
