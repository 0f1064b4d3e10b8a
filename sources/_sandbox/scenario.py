"""Scenario files: which world to simulate, and what is wrong with it.

Belongs here: the keys of a scenario file, their checks and messages. Does not belong here: the
effect of any key, which lies in `world/` (what happens) and `api_faults.py` (how it is answered).

A scenario is plain TOML (see `default.toml`). An unknown key, fault kind or fault parameter is an
error that names it and the nearest allowed word: a typing error never gives a healthy world.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from sources._sandbox.fault_kinds import FAULT_KINDS, FaultKind

DEFAULT_SCENARIO = Path(__file__).parent / "default.toml"

CONNECTORS = (
    "amazon",
    "ebay",
    "files",
    "fx",
    "helpdesk",
    "reviews",
    "shopify",
    "tracking",
    "walmart",
)
"""Connectors that a scenario may name."""

SELLING_CONNECTORS = ("amazon", "ebay", "files", "shopify", "walmart")
"""Connectors whose accounts have orders in the world so far; the others come with their source."""

FILES_COUNTRIES = ("US", "GB", "BR", "MX")
"""Where buyers of a `files` account live when the scenario names no countries."""

SHOPIFY_COUNTRIES = ("US", "CA", "GB")
"""Where buyers of a `shopify` account live when the scenario names no countries."""

Share = Annotated[float, pydantic.Field(ge=0, le=1)]
Country = Annotated[str, pydantic.Field(pattern=r"^[A-Z]{2}$")]
Name = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_. -]{0,62}$")]


class ScenarioError(ValueError):
    """A scenario file that cannot be used; the message says which key and what to write instead."""


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Warehouse(_Strict):
    """A warehouse of the seller's own (Amazon's centres are made by the world)."""

    name: Name
    country: Country = "CN"
    stock_pool: str | None = None


class Carrier(_Strict):
    """A carrier of the seller's own parcels. `share` is relative to the others'."""

    name: Name
    service: str = "standard"
    share: Annotated[float, pydantic.Field(ge=0)] = 1.0


class Account(_Strict):
    """One seller's account. `share` of the orders is relative to the other accounts'."""

    connector: str
    name: Name
    marketplaces: tuple[str, ...] = ()
    provider: str | None = None  # helpdesk, reviews, tracking: whose API; None is the usual one
    satisfaction: Literal["ratings", "surveys"] | None = None  # Zendesk: the older or newer kind
    countries: tuple[Country, ...] = ()  # files, shopify: where the buyers live
    currency: Annotated[str, pydantic.Field(pattern=r"^[A-Z]{3}$")] | None = None  # files, shopify
    share: Annotated[float, pydantic.Field(ge=0)] = 1.0
    fulfilled_by_marketplace: Share = 0.85  # share of FBA, WFS orders; others: always 0

    @property
    def sells(self) -> bool:
        return self.connector in SELLING_CONNECTORS

    @property
    def market_countries(self) -> tuple[str, ...]:
        """Countries of `marketplaces`, whether written `DE` or `amazon_de`."""
        codes = (name.rsplit("_", 1)[-1].upper() for name in self.marketplaces)
        return tuple(code for code in codes if len(code) == 2)


class Api(_Strict):
    """How the simulated APIs behave; all but the first and last are shares of answers."""

    throttle: Literal["fast", "realistic"] = "fast"
    http_429: Share = 0.0
    http_503: Share = 0.0
    truncated: Share = 0.0
    slow: Share = 0.0
    duplicate_record: Share = 0.0
    out_of_order: Share = 0.0
    token_lifetime_s: Annotated[int, pydantic.Field(gt=0)] = 3600

    @property
    def shares(self) -> dict[str, float]:
        """The shares by their key, as `api_faults.ApiFaults` takes them."""
        return self.model_dump(exclude={"throttle", "token_lifetime_s"})


class Fault(_Strict):
    """One planted fault: `F01` is the first of the file. `parameters` have the file's names."""

    fault_id: str
    kind: str
    from_date: date | None = None
    to_date: date | None = None  # last day
    parameters: Mapping[str, Any] = {}

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter, or `default` where it was left out."""
        value = self.parameters.get(name)
        return default if value is None else value

    @property
    def entry(self) -> dict[str, Any]:
        """The fault as the scenario file writes it (kind, from, to and parameters)."""
        dates = {"from": self.from_date, "to": self.to_date}
        return {"kind": self.kind, **{k: v for k, v in dates.items() if v}, **self.parameters}


class Scenario(_Strict):
    """A simulated seller. `today` is the world's clock at 00:00 UTC; see design section 4."""

    seed: Annotated[int, pydantic.Field(ge=0, lt=2**63)]
    start: date
    today: date
    orders_per_day: Annotated[float, pydantic.Field(gt=0, le=500_000)]
    skus: Annotated[int, pydantic.Field(ge=1, le=9999)]
    languages: Annotated[tuple[str, ...], pydantic.Field(min_length=1)] = ("en",)
    inspection_share: Share = 0.5
    scan_share: Share = 0.2
    review_rate: Share = 0.06
    case_rate: Share = 0.08
    warehouses: tuple[Warehouse, ...] = (Warehouse(name="WH-CN1"),)
    carriers: tuple[Carrier, ...] = (
        Carrier(name="YunExpress", share=2.0),
        Carrier(name="4PX"),
        Carrier(name="DHL eCommerce", service="packet"),
    )
    accounts: Annotated[tuple[Account, ...], pydantic.Field(min_length=1)]
    faults: tuple[Fault, ...] = ()
    api: Api = Api()

    @classmethod
    def load(cls, path: Path | str) -> Scenario:
        """Read and check a scenario file."""
        path = Path(path)
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ScenarioError(f"{path}: no such scenario file; give the path of one") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ScenarioError(f"{path}: not TOML ({error}); mend that line") from None
        try:
            return cls.parse(content)
        except ScenarioError as error:
            raise ScenarioError(f"{path}: {error}") from None

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Scenario:
        """Check the content of a scenario file."""
        _check_keys("the scenario", content, cls.model_fields)
        values = dict(content)
        for day in ("start", "today"):
            if day in values:
                values[day] = _day(day, values[day])
        if "warehouses" in values:
            values["warehouses"] = _warehouses(values["warehouses"])
        if "carriers" in values:
            values["carriers"] = _carriers(values["carriers"])
        values["accounts"] = _tables("accounts", values.get("accounts", []), Account)
        values["faults"] = [
            _fault(number, entry) for number, entry in enumerate(values.get("faults", []), 1)
        ]
        if isinstance(values.get("api"), Mapping):
            _check_keys("[api]", values["api"], Api.model_fields)
        try:
            scenario = cls.model_validate(values)
        except pydantic.ValidationError as error:
            raise ScenarioError(_explain(error)) from None
        _check_whole(scenario)
        return scenario

    @property
    def clock(self) -> datetime:
        """The world's clock: `today` at 00:00 UTC."""
        return datetime.combine(self.today, time(), UTC)

    @property
    def selling_accounts(self) -> tuple[Account, ...]:
        return tuple(account for account in self.accounts if account.sells)

    def faults_of(self, *kinds: str) -> list[Fault]:
        return [fault for fault in self.faults if fault.kind in kinds]


def _check_keys(where: str, given: Mapping[str, Any], allowed: Iterable[str]) -> None:
    words = sorted(allowed)
    for key in given:
        if key not in words:
            near = difflib.get_close_matches(key, words, n=1)
            hint = f"did you mean `{near[0]}`? " if near else ""
            raise ScenarioError(
                f"unknown key `{key}` in {where}: {hint}allowed are {', '.join(words)}"
            )


def _tables(key: str, entries: Any, model: type[_Strict]) -> list[dict[str, Any]]:
    if not isinstance(entries, list) or not all(isinstance(e, Mapping) for e in entries):
        raise ScenarioError(f"`{key}` must be tables: write [[{key}]] before each")
    for number, entry in enumerate(entries, 1):
        _check_keys(f"[[{key}]] no. {number}", entry, model.model_fields)
    return [dict(entry) for entry in entries]


def _warehouses(value: Any) -> list[dict[str, Any]]:
    """A count, names (`WH1` or `WH1:DE`), names with countries, or tables."""
    if isinstance(value, int) and not isinstance(value, bool):
        return [{"name": f"WH{number}"} for number in range(1, value + 1)]
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        pairs = [v.partition(":") for v in value]
        return [{"name": name, "country": country or "CN"} for name, _, country in pairs]
    if isinstance(value, Mapping):
        return [{"name": name, "country": country} for name, country in value.items()]
    return _tables("warehouses", _renamed(value, "id", "fulfilment_centre_id"), Warehouse)


def _carriers(value: Any) -> list[dict[str, Any]]:
    """Names (`DHL` or `DHL:express`), or tables."""
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        pairs = [v.partition(":") for v in value]
        return [{"name": name, "service": service or "standard"} for name, _, service in pairs]
    return _tables("carriers", _renamed(value, "carrier"), Carrier)


def _renamed(entries: Any, *aliases: str) -> Any:
    """Tables whose `name` may go by other words."""
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        return entries
    return [{"name" if k in aliases else k: v for k, v in entry.items()} for entry in entries]


def _day(key: str, value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ScenarioError(f"`{key}` = {value!r} is no date: write it as 2026-01-31") from None


def _fault(number: int, entry: Any) -> dict[str, Any]:
    where = f"[[faults]] no. {number}"
    if not isinstance(entry, Mapping) or "kind" not in entry:
        raise ScenarioError(f"{where} has no `kind`: add one of {', '.join(sorted(FAULT_KINDS))}")
    kind = entry["kind"]
    if kind not in FAULT_KINDS:
        near = difflib.get_close_matches(str(kind), FAULT_KINDS, n=1)
        hint = f"did you mean `{near[0]}`? " if near else ""
        known = ", ".join(sorted(FAULT_KINDS))
        raise ScenarioError(f"unknown fault kind `{kind}` in {where}: {hint}allowed are {known}")
    rules = FAULT_KINDS[kind]
    given = {key: value for key, value in entry.items() if key != "kind"}
    _check_keys(f"{where} ({kind})", given, [*rules.parameters, "from", "to"])
    dates = {key: _day(key, given.pop(key)) for key in ("from", "to") if key in given}
    if len(dates) == 2 and dates["from"] > dates["to"]:
        raise ScenarioError(f"{where} ({kind}): `from` lies after `to`; swap them")
    return {
        "fault_id": f"F{number:02d}",
        "kind": kind,
        "from_date": dates.get("from"),
        "to_date": dates.get("to"),
        "parameters": _parameters(where, kind, rules, given),
    }


def _parameters(
    where: str, kind: str, rules: FaultKind, given: Mapping[str, Any]
) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for name, value in given.items():
        if name == "date":
            parameters[name] = _day(name, value)
            continue
        try:
            parameters[name] = pydantic.TypeAdapter(rules.parameters[name]).validate_python(value)
        except pydantic.ValidationError as error:
            problem = error.errors()[0]["msg"]
            raise ScenarioError(
                f"{where} ({kind}): `{name}` = {value!r} does not do: {problem}"
            ) from None
    for group in rules.required:
        if not any(name in parameters for name in group):
            raise ScenarioError(f"{where} ({kind}) lacks `{'` or `'.join(group)}`: add it")
    for name, default in rules.defaults.items():
        parameters.setdefault(name, default)
    return parameters


def _check_whole(scenario: Scenario) -> None:
    if scenario.today <= scenario.start:
        raise ScenarioError("`today` must lie after `start`: the world needs at least one day")
    names = [account.name for account in scenario.accounts]
    for account in scenario.accounts:
        if account.connector not in CONNECTORS:
            known = ", ".join(CONNECTORS)
            raise ScenarioError(
                f"account `{account.name}`: unknown connector `{account.connector}`; one of {known}"
            )
        if names.count(account.name) > 1:
            raise ScenarioError(f"two accounts are called `{account.name}`: rename one")
    for fault in scenario.faults:
        _check_fault(scenario, fault, set(names))


def _check_fault(scenario: Scenario, fault: Fault, accounts: set[str]) -> None:
    where = f"fault {fault.fault_id} ({fault.kind})"
    skus = {f"SKU-{number:04d}" for number in range(1, scenario.skus + 1)}
    sku = fault.get("sku")
    if sku is not None and sku not in skus:
        raise ScenarioError(
            f"{where}: `sku` = {sku!r} is not in this world; it has SKU-0001 to SKU-"
            f"{scenario.skus:04d} (raise `skus` or name one of them)"
        )
    account = fault.get("account")
    if account is not None and account not in accounts:
        known = ", ".join(sorted(accounts))
        raise ScenarioError(f"{where}: no account `{account}`; there are {known}")


def _explain(error: pydantic.ValidationError) -> str:
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"key `{key}` is missing: add it (see sources/_sandbox/default.toml)"
    return f"`{key}` = {problem['input']!r} does not do: {problem['msg']}"
