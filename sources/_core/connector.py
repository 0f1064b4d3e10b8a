"""What a connector is: declarations only (Connector, Stream, Page, Window, settings of an account).

Belongs here: the shapes every connector fills in. Does not belong here: how a page is fetched
(`http.py`), cut into allowed records (`records.py`) or written (`landing.py`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec
import pydantic

from sources._core.clock import Clock

if TYPE_CHECKING:
    from sources._core.downloads import Downloads


class AccountSettings(pydantic.BaseModel):
    """One `[[accounts]]` entry of the settings file; connectors subclass it.

    Unknown keys are errors.

    `secrets` maps a field of the connector to its value (already read from the environment by
    `pipelines.resources`, which alone knows the variable names). They are SecretStr: never printed.
    `secrets["customer_key"]` is put there for every account: the key of `privacy.customer_key`.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    secret_names: ClassVar[tuple[str, ...]] = ()  # fields of `secrets` that the connector needs
    other_secret_names: ClassVar[tuple[str, ...]] = ()  # or these, which do as well

    connector: str
    name: str = pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")
    marketplaces: tuple[str, ...] = ()
    start: date
    base_url: str | None = None
    token_url: str | None = None
    extra_base_urls: Mapping[str, str] = {}
    secrets: Mapping[str, pydantic.SecretStr] = {}
    time_zones: Mapping[str, str] = {}
    prices_include_tax: Mapping[str, bool] = {}

    def reads(self, stream: str) -> bool:
        """Whether the account has this stream: of several vendors an account is one's."""
        return bool(stream)


@dataclass(frozen=True)
class OpenParcel:
    """A parcel still on its way, as the last build knows it.

    The night fills them into settings that have a field `open_parcels`: a connector does not open
    the warehouse.
    """

    carrier: str
    tracking_number: str
    order_ref: str
    sent_on: date
    fulfilled_by: str = "seller"


@dataclass(frozen=True)
class Window:
    """Half-open window [start, end) of time in UTC; `is_last` on the last one of a run."""

    start: datetime
    end: datetime
    is_last: bool = True


@dataclass(frozen=True)
class Reject:
    """Records held back before landing: how many, for one reason, with one key as example."""

    reason: str
    count: int
    what_to_do: str
    example_ref: str = ""


@dataclass(frozen=True)
class Page:
    """What one answer brought: raw JSON records (cut, not decoded) or rows of a report or file.

    `source_ref` says where it came from (page number, report id, file name), never a secret.
    `served_until` is the upper bound that the API says it served; the cursor of the window moves
    to the earliest of its pages, at most to the window's end.
    `unknown_fields`, `missing_fields` and `changed_fields` (of another type) are names of columns,
    where the connector found them itself.
    `duplicates` counts records that the source gave twice and the connector already left out.
    `is_whole` is False where the source may hold more rows than it gave (a cancelled report, rows
    held back): the window is then read, but stored rows that did not come again are kept.
    `on_landed` is called when this page and all before it are safe on disk (data and manifest):
    extraction closes the landing file after such a page, so a landing file never holds records of
    two sources. Dropped files are moved away there, never earlier.
    """

    records: Sequence[msgspec.Raw] | Sequence[Mapping[str, Any]]
    source_ref: str
    encoding: str | None = None
    served_until: datetime | None = None
    rejects: Sequence[Reject] = ()
    unknown_fields: Sequence[str] = ()
    missing_fields: Sequence[str] = ()
    changed_fields: Sequence[str] = ()
    duplicates: int = 0
    is_whole: bool = True
    on_landed: Callable[[], None] | None = None


class StreamState(MutableMapping[str, Any]):
    """Small resumable state of a stream (for example the id of a report in progress)."""

    @abstractmethod
    def save(self) -> None:
        """Write it to disk in one step."""


@dataclass(frozen=True)
class StreamContext:
    """What a stream's `read` may use. `client` is what the connector's `open` returned.

    `landed_refs` gives the `source_ref` of every source finished in this stream and account, that
    is, landed with its page of `on_landed` (read only when called): how a connector knows what a
    killed night had finished.
    """

    account: AccountSettings
    clock: Clock
    client: Any
    state: StreamState
    progress: Callable[[str], None] = lambda _text: None
    landed_refs: Callable[[], Collection[str]] = tuple


@dataclass(frozen=True)
class Stream:
    """One raw table: what is read, which fields are kept, how a record is recognised.

    - `record`: msgspec Struct with the allowed fields only; its annotations give the column types.
    - `key`: field names, or a function of the decoded record; the text key of the raw table.
    - `version`: field whose greatest value is a key's newest state; None: the latest read wins.
    - `read`: yields pages of one window, in order.
    - `lookback`: how far each night re-reads before its cursor; `max_window`: the API's longest.
    - `complete_within`: field (text timestamp or date) within whose window the source gave
      everything, so that a stored row it did not give again is gone.
    - `is_static`: the whole content is read each time; no window, no cursor; account `all`.
    - `free_text`: fields masked before they are written, dotted into nested records and lists;
      `event_field`: day of the event, for lateness figures.
    - `known_dropped`: names (dotted, with all below) that the API documents and we leave out on
      purpose, so that they are not reported as unknown each night.
    - `expected_fields`: optional fields that every record has; one that is missing in the first
      record of a page is reported as drift.
    """

    name: str
    record: type[msgspec.Struct]
    key: tuple[str, ...] | Callable[[Any], str]
    read: Callable[[StreamContext, Window], Iterator[Page]]
    version: str | None = None
    lookback: timedelta = timedelta(0)
    max_window: timedelta | None = None
    complete_within: str | None = None
    is_static: bool = False
    free_text: tuple[str, ...] = ()
    event_field: str | None = None
    known_dropped: tuple[str, ...] = ()
    expected_fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """Outcome of one credential or right that `aftersales check-config` tried."""

    subject: str
    ok: bool
    message: str


AccountKind = Literal[
    "marketplace", "own_shop", "tracking", "helpdesk", "reviews", "file_channel", "reference"
]


@dataclass(frozen=True)
class Connector:
    """A source of data. `open` makes the client of an account; `check` tries its rights.

    `settings` validates an `[[accounts]]` entry. `api_version` and `sunset_date` are shown in
    `meta.freshness`. `default_accounts` are accounts that exist without being named in the
    settings (exchange rates, the inbox). `downloads` are reports that a person may bring as files.
    `serves_all`: its static lists say what rows of other sources mean, so they are read also where
    it has no account (statuses of parcels).
    """

    name: str
    streams: tuple[Stream, ...]
    settings: type[AccountSettings]
    open: Callable[[AccountSettings, Clock], Any]
    check: Callable[[Any], Sequence[Check]] = lambda _client: ()
    account_kind: AccountKind = "marketplace"
    api_version: str = ""
    sunset_date: date | None = None
    default_accounts: Sequence[AccountSettings] = field(default_factory=tuple)
    downloads: Downloads | None = None
    serves_all: bool = False
