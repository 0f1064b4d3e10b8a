"""Closed lists of codes that cells may hold: ISO 4217 currencies and ISO 3166 countries.

Belongs here: the lists, taken from the CLDR data of Babel. Does not belong here: the words of one
dataset (its declaration has them).
"""

from __future__ import annotations

from datetime import date
from functools import cache

from babel import Locale
from babel.numbers import get_territory_currencies

UNKNOWN_COUNTRY = "ZZ"

_FIRST_DAY = date(1999, 1, 1)
_LAST_DAY = date(2099, 12, 31)
_NOT_ISO_3166 = frozenset(
    ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"]
)


@cache
def countries() -> frozenset[str]:
    """Alpha-2 codes, Kosovo's XK, and ZZ for a country that is not known."""
    codes = [str(code) for code in Locale("en").territories]
    territories = {code for code in codes if len(code) == 2 and code.isalpha()}
    return frozenset(territories - _NOT_ISO_3166 | {UNKNOWN_COUNTRY})


@cache
def currencies() -> frozenset[str]:
    """Every currency that was legal tender somewhere since 1999: no GBX, CNH, XAU."""
    return frozenset(
        code
        for country in countries() - {UNKNOWN_COUNTRY}
        for code in get_territory_currencies(country, _FIRST_DAY, _LAST_DAY)
    )
