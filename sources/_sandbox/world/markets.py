"""Where a scenario's accounts sell: marketplaces, countries of buyers, warehouses, lanes.

Belongs here: what the scenario's accounts, warehouses, carriers and lane faults make together.
Does not belong here: orders.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sources._sandbox.scenario import (
    FILES_COUNTRIES,
    SHOPIFY_COUNTRIES,
    Account,
    Carrier,
    Scenario,
    ScenarioError,
    Warehouse,
)
from sources._sandbox.world import geography

_FBA_CODE = re.compile(r"^[A-Z]{3}\d$")


@dataclass(frozen=True)
class Market:
    """One marketplace of one account. `weight` is its share of orders, relative to the others."""

    account: Account
    marketplace: str
    country: str
    currency: str
    decimals: int
    tax_bp: int
    prices_include_tax: bool
    time_zone: str
    region_group: str
    marketplace_id: str
    sales_channel: str
    language: str
    weight: float
    countries: tuple[tuple[str, float], ...]  # of buyers, with shares

    @property
    def connector(self) -> str:
        return self.account.connector

    @property
    def is_own_shop(self) -> bool:
        """A shop of the seller's own: exchanges are lines of the same order."""
        return self.connector == "shopify"

    @property
    def tells_returns(self) -> bool:
        """Whether the seller grades what comes back from here and sells it again."""
        return self.connector in ("files", "shopify")

    @property
    def is_fulfilling(self) -> bool:
        """Whether the marketplace has centres of its own to send from: FBA, WFS in America."""
        has_centres = self.connector == "walmart" and self.country in geography.WFS_CENTRES
        return self.connector == "amazon" or has_centres

    @property
    def resends(self) -> tuple[bool, bool]:
        """Whether buyers get replacements, and other sizes, by an order that the source tells of.

        eBay knows neither, Walmart free replacements only: buyers there get their money back.
        """
        return self.connector != "ebay", self.connector not in ("ebay", "walmart")

    @property
    def cancels_lines(self) -> bool:
        """Whether a line can be cancelled apart from its order; of several units only some."""
        return self.connector != "ebay"

    @property
    def gives_concessions(self) -> bool:
        """Whether the seller pays for flaws of what the buyer keeps; Walmart gives no date."""
        return self.connector != "walmart"


@dataclass(frozen=True)
class Centre:
    """A fulfilment centre; `account` is None for the seller's own warehouses."""

    name: str
    country: str
    account: str | None
    region_group: str
    stock_pool: str
    has_ledger: bool = False  # Amazon's: the source tells what is lost, found, taken home


@dataclass(frozen=True)
class Places:
    """Everything of a scenario that has a place."""

    markets: tuple[Market, ...]
    centres: tuple[Centre, ...]
    carriers: tuple[Carrier, ...]

    @property
    def own(self) -> tuple[Centre, ...]:
        return tuple(centre for centre in self.centres if centre.account is None)

    def fba(self, account: str, region_group: str) -> tuple[Centre, ...]:
        return tuple(
            c for c in self.centres if (c.account, c.region_group) == (account, region_group)
        )


def region_of(country: str) -> str:
    """NA, EU or FE; the marketplaces' grouping where there is one."""
    if country in geography.AMAZON:
        return geography.AMAZON[country][2]
    return "FE" if country in {"CN", "KR", "TH", "VN", "MY", "PH", "ID"} else "EU"


def places_of(scenario: Scenario) -> Places:
    """Markets, centres and carriers of a scenario, those that only a fault names included."""
    markets = [m for a in scenario.selling_accounts for m in _markets_of(a, scenario)]
    if not markets:
        raise ScenarioError(
            "no account sells anything: add [[accounts]] with connector amazon, ebay, walmart, "
            "shopify or files"
        )
    return Places(tuple(markets), tuple(_centres(scenario, markets)), tuple(_carriers(scenario)))


def _markets_of(account: Account, scenario: Scenario) -> list[Market]:
    if account.connector == "files":
        return [_files_market(account, scenario)]
    if account.connector == "shopify":
        return [_own_shop(account, scenario)]
    if not account.market_countries:
        raise ScenarioError(f'account `{account.name}` has no marketplaces: add e.g. ["DE"]')
    weights = [1.0 / (place + 1.5) for place in range(len(account.market_countries))]
    make = {"ebay": _ebay_market, "walmart": _walmart_market}.get(account.connector, _amazon_market)
    return [
        make(account, code, account.share * weight / sum(weights))
        for code, weight in zip(account.market_countries, weights, strict=True)
    ]


def _ebay_market(account: Account, code: str, weight: float) -> Market:
    _check_market(account, code, "eBay", geography.EBAY)
    marketplace_id, region = geography.EBAY[code]
    zone = geography.country(code).time_zone
    return _collecting_market(account, code, weight, marketplace_id, region, zone)


def _walmart_market(account: Account, code: str, weight: float) -> Market:
    _check_market(account, code, "Walmart", geography.WALMART)
    zone = geography.WALMART[code]
    return _collecting_market(account, code, weight, code.lower(), code, zone)


def _check_market(account: Account, code: str, whose: str, known: Iterable[str]) -> None:
    if code not in known:
        raise ScenarioError(
            f"account `{account.name}`: {whose} has no marketplace `{code}`; there are "
            f"{', '.join(sorted(known))}"
        )


def _collecting_market(
    account: Account, code: str, weight: float, marketplace_id: str, region: str, zone: str
) -> Market:
    """A market that collects the tax itself: prices are told without it."""
    place = geography.country(code)
    return Market(
        account=account,
        marketplace=f"{account.connector}_{code.lower()}",
        country=code,
        currency=place.currency,
        decimals=geography.decimals(place.currency),
        tax_bp=place.tax_bp,
        prices_include_tax=False,
        time_zone=zone,
        region_group=region,
        marketplace_id=marketplace_id,
        sales_channel=marketplace_id,
        language=place.language,
        weight=weight,
        countries=((code, 1.0),),
    )


def _amazon_market(account: Account, code: str, weight: float) -> Market:
    _check_market(account, code, "Amazon", geography.AMAZON)
    place = geography.country(code)
    marketplace_id, channel, region, included = geography.AMAZON[code]
    abroad = geography.NEIGHBOURS.get(code, ())
    buyers = [(code, 1.0 - 0.04 * bool(abroad)), *((c, 0.04 / len(abroad)) for c in abroad)]
    return Market(
        account=account,
        marketplace=f"amazon_{code.lower()}",
        country=code,
        currency=place.currency,
        decimals=geography.decimals(place.currency),
        tax_bp=place.tax_bp,
        prices_include_tax=included,
        time_zone=place.time_zone,
        region_group=region,
        marketplace_id=marketplace_id,
        sales_channel=channel,
        language=place.language,
        weight=weight,
        countries=tuple(buyers),
    )


def _files_market(account: Account, scenario: Scenario) -> Market:
    countries = list(account.countries or account.market_countries or FILES_COUNTRIES)
    countries += _lane_ends(scenario, countries)
    home = geography.country(countries[0])
    currency = account.currency or (home.currency if len(countries) == 1 else "USD")
    return Market(
        account=account,
        marketplace=account.name,
        country=home.code,
        currency=currency,
        decimals=geography.decimals(currency),
        tax_bp=home.tax_bp if len(countries) == 1 else 0,
        prices_include_tax=False,
        time_zone=home.time_zone,
        region_group=region_of(home.code),
        marketplace_id="",
        sales_channel=account.name,
        language=home.language,
        weight=account.share,
        countries=tuple((code, 1.0) for code in countries),
    )


def _lane_ends(scenario: Scenario, countries: list[str]) -> list[str]:
    """Countries that only a faulty lane leads to."""
    lanes = scenario.faults_of("slow_lane", "lossy_lane", "customs_hold")
    ends = [d for f in lanes if (d := f.get("destination"))]
    return [d for d in dict.fromkeys(ends) if d not in countries]


def _own_shop(account: Account, scenario: Scenario) -> Market:
    """A Shopify shop: one price and one tax for all buyers, those of its first country."""
    countries = list(account.countries or account.market_countries or SHOPIFY_COUNTRIES)
    if not any(a.connector == "files" for a in scenario.accounts):
        countries += _lane_ends(scenario, countries)
    home = geography.country(countries[0])
    currency = account.currency or home.currency
    return Market(
        account=account,
        marketplace=f"shopify_{account.name}",
        country=home.code,
        currency=currency,
        decimals=geography.decimals(currency),
        tax_bp=home.tax_bp,
        prices_include_tax=home.code not in ("US", "CA"),
        time_zone=home.time_zone,
        region_group=region_of(home.code),
        marketplace_id="",
        sales_channel=account.name,
        language=home.language,
        weight=account.share,
        countries=tuple((code, 1.0 + 2.0 * (code == home.code)) for code in countries),
    )


def _centres(scenario: Scenario, markets: list[Market]) -> list[Centre]:
    centres: list[Centre] = []
    taken: set[str] = set()
    named = [f.get("warehouse") for f in scenario.faults_of("wrong_item")]
    for market in markets:
        if not market.is_fulfilling:
            continue
        for code in _fba_codes(market, taken):
            taken.add(code)
            centres.append(_fba_centre(code, market))
    own = [w for w in scenario.warehouses if w.name not in taken]
    for name in named:
        amazon = [m for m in markets if m.connector == "amazon"]
        if name in taken or name in {w.name for w in own}:
            continue
        if _FBA_CODE.match(name) and amazon:
            taken.add(name)
            centres.append(_fba_centre(name, amazon[0]))
        else:
            own.append(Warehouse(name=name))
    origins = {f.get("origin") for f in scenario.faults_of("slow_lane", "lossy_lane")} - {None}
    for origin in sorted(origins - {w.country for w in own}):
        own.append(Warehouse(name=f"WH-{origin}", country=origin))
    for warehouse in own or [Warehouse(name="WH1")]:
        centres.append(
            Centre(
                warehouse.name,
                warehouse.country,
                None,
                region_of(warehouse.country),
                warehouse.stock_pool or warehouse.name,
            )
        )
    return centres


def _fba_codes(market: Market, taken: set[str]) -> list[str]:
    """Two centres that no other account uses; made-up ones where Amazon's run out."""
    centres = geography.FBA_CENTRES if market.connector == "amazon" else geography.WFS_CENTRES
    known = centres.get(market.country, ())
    free = [code for code in known if code not in taken][:2]
    number = 1
    while not free:
        code = f"X{market.country}{number}"
        free = [code] if code not in taken else []
        number += 1
    return free


def _fba_centre(code: str, market: Market) -> Centre:
    region = market.region_group
    account = market.account.name
    has_ledger = market.connector == "amazon"
    return Centre(code, market.country, account, region, f"{account}|{region}", has_ledger)


def _carriers(scenario: Scenario) -> list[Carrier]:
    carriers = list(scenario.carriers)
    for fault in scenario.faults_of("slow_lane", "lossy_lane", "damaging_carrier"):
        name = fault.get("carrier")
        service = fault.get("service")
        known = {(c.name, c.service) for c in carriers}
        fba = {carrier for group in geography.FBA_CARRIERS.values() for carrier in group}
        if name is None or (service is None and (name in {c for c, _ in known} or name in fba)):
            continue
        if (name, service or "standard") not in known:
            carriers.append(Carrier(name=name, service=service or "standard"))
    return carriers
