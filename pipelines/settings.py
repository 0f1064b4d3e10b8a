"""What `aftersales.toml` may contain, and what is said when it contains something else.

Belongs here: models of the sections and messages that name the key and the fix. Does not belong
here: reading environment variables (`resources.py`), what an account of a connector needs (the
connector's own settings class).
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
from babel import Locale

from sources._core.connector import AccountSettings, Connector

_ENGLISH = Locale("en")
CURRENCIES = frozenset(str(code) for code in _ENGLISH.currencies)
COUNTRIES = frozenset(c for c in map(str, _ENGLISH.territories) if len(c) == 2 and c.isalpha())

Name = Annotated[str, pydantic.Field(min_length=1, max_length=64)]


class SettingsError(ValueError):
    """The settings cannot be used; `problems` says for each key what is wrong and what to write."""

    def __init__(self, source: str, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{source}: " + "; ".join(self.problems))


def _time_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("not an IANA time zone, write for example Asia/Shanghai") from error
    return name


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("not a currency of ISO 4217, write for example USD, EUR or CNY")
    return code


def _country(code: str) -> str:
    if code not in COUNTRIES:
        raise ValueError("not a country of ISO 3166, write two capital letters, for example DE")
    return code


TimeZone = Annotated[str, pydantic.AfterValidator(_time_zone)]
Currency = Annotated[str, pydantic.AfterValidator(_currency)]
Country = Annotated[str, pydantic.AfterValidator(_country)]


class Section(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Evidence(Section):
    min_units: int = pydantic.Field(default=50, ge=1)
    max_width: float = pydantic.Field(default=0.10, gt=0, le=1)


class General(Section):
    """`[settings]`."""

    reporting_currency: Currency = "USD"
    time_zone: TimeZone = "UTC"
    language: Literal["en", "zh"] | None = None
    return_horizon_days: int = pydantic.Field(default=60, ge=1, le=730)
    assumed_transit_days: int = pydantic.Field(default=7, ge=0, le=90)
    presumed_lost_days: int = pydantic.Field(default=60, ge=1, le=365)  # without a scan
    presumed_lost_days_express: int = pydantic.Field(default=30, ge=1, le=365)
    include_sunk: bool = False
    regions: Mapping[Name, tuple[Country, ...]] = {}
    evidence: Evidence = Evidence()

    @pydantic.field_validator("regions")
    @classmethod
    def _one_region_each(
        cls, regions: Mapping[str, tuple[str, ...]]
    ) -> Mapping[str, tuple[str, ...]]:
        seen: dict[str, str] = {}
        for region, countries in regions.items():
            for country in countries:
                if country in seen:
                    raise ValueError(
                        f"{country} is in {seen[country]} and in {region}, leave it in one region"
                    )
                seen[country] = region
        return regions


class Horizon(Section):
    category: Name | None = None
    marketplace: Name | None = None
    days: int = pydantic.Field(ge=1, le=730)
    valid_from: date | None = None


class Category(Section):
    name: Name
    name_en: str | None = None
    name_zh: str | None = None
    parent_category: str | None = None
    is_hygiene: bool = False
    is_food: bool = False
    is_appliance: bool = False
    is_safety_critical: bool = False
    opened_not_returnable: bool = False
    has_expiry: bool = False


class Team(Section):
    name: Name
    kind: Literal["service", "returns"] = "service"
    time_zone: TimeZone = "UTC"
    calendar: str | None = None
    display_name: str | None = None


class Inbox(Section):
    encodings: tuple[Literal["utf-8", "gb18030"], ...] = ("utf-8",)
    allowed_extras: Mapping[str, tuple[str, ...]] = {}
    time_zone: Mapping[str, TimeZone] = {}  # by dataset; one text is for all datasets
    archive_days: int = pydantic.Field(default=30, ge=0)
    settle_seconds: float = pydantic.Field(default=60, ge=0)

    @pydantic.field_validator("time_zone", mode="before")
    @classmethod
    def _for_all(cls, value: object) -> object:
        return {"all": value} if isinstance(value, str) else value


class Privacy(Section):
    customer_key_env: str = "AFTERSALES_CUSTOMER_KEY"
    text_retention_days: int = pydantic.Field(default=400, ge=1)
    display_names: Mapping[str, str] = {}


Rate = Annotated[Decimal, pydantic.Field(ge=0, max_digits=12, decimal_places=4)]
Share = Annotated[Decimal, pydantic.Field(ge=0, le=1, decimal_places=4)]
Unsellable = Literal[
    "defective", "customer_damaged", "carrier_damaged", "warehouse_damaged", "expired", "unknown"
]


class Costs(Section):
    """`[costs]`: rates of estimates, money in the reporting currency. What is not given here is not
    estimated."""

    labour_per_hour: Rate | None = None
    inspection_minutes: Rate | None = None  # per unit, where the inspection tells none
    repack_per_unit: Rate | None = None
    disposal_per_unit: Rate | None = None
    replacement_shipping_per_unit: Rate | None = None
    dispute_fee: Rate | None = None  # per chargeback lost
    recovery_share: Mapping[Unsellable, Share] = {}  # of the landed cost, by disposition
    payment_fee_share: Mapping[Name, Share] = {}  # of what the buyer paid, by marketplace

    def rates(self) -> Iterator[tuple[str, str, Decimal]]:
        """Kind, subject (`all` if it is one for everything) and rate of all that is given."""
        for kind, value in self:
            given = value.items() if isinstance(value, Mapping) else [("all", value)]
            yield from ((kind, subject, rate) for subject, rate in given if rate is not None)


class Alerts(Section):
    rules_file: Path | None = None
    channels: Mapping[Name, str] = {}


class Slice(Section):
    name: Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    accounts: tuple[Name, ...] = pydantic.Field(min_length=1)


class Publish(Section):
    fact_months: int = pydantic.Field(default=36, ge=1)
    slices: tuple[Slice, ...] = ()


class _File(Section):
    """The file as a whole; accounts are validated by their connectors afterwards."""

    settings: General = General()
    horizons: tuple[Horizon, ...] = ()
    accounts: tuple[Mapping[str, Any], ...] = ()
    stock_pools: Mapping[Name, tuple[Name, ...]] = {}
    categories: tuple[Category, ...] = ()
    teams: tuple[Team, ...] = ()
    costs: Costs = Costs()
    inbox: Inbox = Inbox()
    privacy: Privacy = Privacy()
    alerts: Alerts = Alerts()
    publish: Publish = Publish()

    @pydantic.model_validator(mode="after")
    def _one_pool_each(self) -> Self:
        seen: dict[str, str] = {}
        for pool, centres in self.stock_pools.items():
            for centre in centres:
                if centre in seen:
                    raise ValueError(
                        f"stock_pools: {centre} is in {seen[centre]} and in {pool}, "
                        "leave it in one pool"
                    )
                seen[centre] = pool
        return self


@dataclass(frozen=True)
class Settings:
    """Validated settings of one night; secrets are in the accounts, never printed."""

    general: General
    accounts: tuple[AccountSettings, ...]
    default_accounts: tuple[AccountSettings, ...]
    horizons: tuple[Horizon, ...]
    stock_pools: Mapping[str, tuple[str, ...]]
    categories: tuple[Category, ...]
    teams: tuple[Team, ...]
    costs: Costs
    inbox: Inbox
    privacy: Privacy
    alerts: Alerts
    publish: Publish
    config_hash: str
    customer_key: pydantic.SecretStr | None = None
    is_sandbox: bool = False
    reports_only: frozenset[str] = frozenset()  # accounts that no API is asked for


Secrets = Callable[[str], str | None]


def load_settings(
    path: Path,
    connectors: Mapping[str, Connector],
    secrets: Secrets,
    inbox: Path,
    imported: Sequence[AccountSettings] = (),
) -> Settings:
    """Settings of the file; no file means all defaults and no account (the sandbox).

    `imported` are accounts of downloaded reports; those that the file names are read by API.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), [f"not readable as TOML in UTF-8: {error}"]) from error
    return parse_settings(content, connectors, secrets, inbox, path.name, imported)


def parse_settings(
    content: Mapping[str, Any],
    connectors: Mapping[str, Connector],
    secrets: Secrets,
    inbox: Path,
    source: str = "settings",
    imported: Sequence[AccountSettings] = (),
) -> Settings:
    """Validate everything before complaining, so that one look mends all."""
    try:
        file = _File.model_validate(content)
    except pydantic.ValidationError as error:
        raise SettingsError(source, _problems(error, _File)) from error
    problems: list[str] = []
    accounts = [
        account
        for number, entry in enumerate(file.accounts, start=1)
        if (account := _account(number, entry, connectors, secrets, problems)) is not None
    ]
    named = {account.name for account in accounts}
    reports_only = [account for account in imported if account.name not in named]
    problems += _contradictions(accounts, file, reports_only)
    key = secrets(file.privacy.customer_key_env)
    if file.accounts and not key:
        problems.append(
            f"privacy.customer_key_env: environment variable {file.privacy.customer_key_env} is not"
            " set; set it to a long random text and keep it, buyers are hashed with it"
        )
    if problems:
        raise SettingsError(source, problems)
    accounts = [with_customer_key(account, key) for account in (*accounts, *reports_only)]
    return Settings(
        general=file.settings,
        accounts=tuple(accounts),
        default_accounts=_default_accounts(accounts, connectors, file.inbox, inbox, key),
        **{name: getattr(file, name) for name in _SECTIONS},
        config_hash=_hash(content, reports_only),
        customer_key=pydantic.SecretStr(key) if key else None,
        reports_only=frozenset(account.name for account in reports_only),
    )


_SECTIONS = (
    "horizons",
    "stock_pools",
    "categories",
    "teams",
    "costs",
    "inbox",
    "privacy",
    "alerts",
    "publish",
)


def with_customer_key(account: AccountSettings, key: str | None) -> AccountSettings:
    """Every account hashes buyers with the same key."""
    if not key:
        return account
    secrets = {**account.secrets, "customer_key": pydantic.SecretStr(key)}
    return account.model_copy(update={"secrets": secrets})


def _default_accounts(
    accounts: Iterable[AccountSettings],
    connectors: Mapping[str, Connector],
    section: Inbox,
    folder: Path,
    key: str | None,
) -> tuple[AccountSettings, ...]:
    """Accounts that exist unnamed (rates, the inbox); an entry of the same name replaces one.

    A connector whose settings have a field of the section `[inbox]`, or want the folder or all
    accounts, is given it.
    """
    named = {(a.connector, a.name): a for a in accounts}
    offered: dict[str, Any] = {
        **section.model_dump(),
        "inbox_dir": folder,
        "known_accounts": [a.model_dump(include=_KNOWN) for a in named.values()],
    }
    found = []
    for connector in connectors.values():
        for default in connector.default_accounts:
            account = named.get((default.connector, default.name), default)
            wanted = {k: v for k, v in offered.items() if k in type(account).model_fields}
            values = account.model_dump() | wanted
            found.append(with_customer_key(type(account).model_validate(values), key))
    return tuple(found)


_KNOWN = {"name", "connector", "marketplaces"}


def _account(
    number: int,
    entry: Mapping[str, Any],
    connectors: Mapping[str, Connector],
    secrets: Secrets,
    problems: list[str],
) -> AccountSettings | None:
    where = f"accounts[{number}]" + (f" ({entry['name']})" if "name" in entry else "")
    name = entry.get("connector")
    if name not in connectors:
        known = ", ".join(sorted(connectors))
        problems.append(f"{where}.connector: {name!r} is not a connector, write one of: {known}")
        return None
    values = dict(entry)
    variables = values.pop("secrets", {})
    if not isinstance(variables, Mapping):
        problems.append(f'{where}.secrets: write {{ field = "NAME_OF_VARIABLE" }}')
        return None
    settings = connectors[str(name)].settings
    for field in _needed_secrets(settings, variables):
        if field not in variables:
            problems.append(
                f"{where}.secrets.{field}: missing, add {field} = "
                '"NAME_OF_THE_ENVIRONMENT_VARIABLE" that holds it'
            )
    values["secrets"] = dict(_read_secrets(where, variables, secrets, problems))
    try:
        return settings.model_validate(values)
    except pydantic.ValidationError as error:
        problems.extend(_problems(error, settings, prefix=f"{where}."))
        return None


def _needed_secrets(
    settings: type[AccountSettings], variables: Mapping[str, Any]
) -> tuple[str, ...]:
    """Where the connector takes one of two sets of secrets, the one that is named."""
    others = settings.other_secret_names
    return others if others and set(others) & set(variables) else settings.secret_names


def _read_secrets(
    where: str, variables: Mapping[str, Any], secrets: Secrets, problems: list[str]
) -> Iterator[tuple[str, str]]:
    for field, variable in variables.items():
        value = secrets(variable) if isinstance(variable, str) else None
        if value:
            yield field, value
        else:
            problems.append(
                f"{where}.secrets.{field}: environment variable {variable!s} is not set; "
                "set it, or write the name of the variable that holds the secret"
            )
            yield field, "missing"


def _contradictions(
    accounts: Iterable[AccountSettings], file: _File, imported: Iterable[AccountSettings]
) -> Iterator[str]:
    names: set[str] = set()
    for account in accounts:
        if account.name in names:
            yield f"accounts: name {account.name} is given twice, account names must differ"
        names.add(account.name)
    names.update(account.name for account in imported)
    for part in file.publish.slices:
        for name in part.accounts:
            if name not in names:
                yield (
                    f"publish.slices ({part.name}).accounts: {name} is not an account, "
                    f"write one of: {', '.join(sorted(names)) or 'none configured'}"
                )


def _problems(
    error: pydantic.ValidationError, model: type[pydantic.BaseModel], prefix: str = ""
) -> Iterator[str]:
    """One text per fault: key, what is wrong, what to write; never the value of a secret."""
    for fault in error.errors(include_url=False, include_input=False):
        where = prefix + _dotted(fault["loc"])
        if fault["type"] == "extra_forbidden":
            yield f"{where}: unknown key, {_suggestion(str(fault['loc'][-1]), model, fault['loc'])}"
        elif fault["type"] == "missing":
            yield f"{where}: missing, add this key"
        else:
            yield f"{where.rstrip('.')}: {fault['msg'].removeprefix('Value error, ')}".lstrip(": ")


def _dotted(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _suggestion(key: str, model: type[pydantic.BaseModel], location: tuple[int | str, ...]) -> str:
    allowed = sorted(_keys_at(model, location[:-1]))
    close = difflib.get_close_matches(key, allowed, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"remove it or write one of: {', '.join(allowed)}"


def _keys_at(model: type[pydantic.BaseModel], location: tuple[int | str, ...]) -> Iterable[str]:
    """Keys that the section at this place may have."""
    for part in location:
        if isinstance(part, int) or part not in model.model_fields:
            continue
        inner = _model_of(model.model_fields[part].annotation)
        if inner is not None:
            model = inner
    return model.model_fields


def _model_of(annotation: Any) -> type[pydantic.BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_of(part)
        if found is not None:
            return found
    return None


# Where an account is reached, and with what, changes no figure.
_WITHOUT_EFFECT = ("base_url", "token_url", "extra_base_urls", "secrets")


def _hash(content: Mapping[str, Any], imported: Sequence[AccountSettings]) -> str:
    """Of what the figures depend on in the file, and of the accounts beside it."""
    accounts = [
        {key: value for key, value in account.items() if key not in _WITHOUT_EFFECT}
        for account in content.get("accounts", ())
    ]
    accounts += [account.model_dump(exclude={*_WITHOUT_EFFECT}) for account in imported]
    text = json.dumps({**content, "accounts": accounts}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
