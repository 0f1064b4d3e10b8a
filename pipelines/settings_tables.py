"""Settings as rows of the `settings.*` tables that the models read.

Belongs here: settings -> rows. Does not belong here: reading the file (`settings.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assets.publish import CONTRACT_VERSION
from assets.warehouse import Connection
from pipelines.resources import code_version
from pipelines.settings import Settings
from sources._core.connector import Connector

Rows = dict[str, list[dict[str, Any]]]


def settings_rows(
    connection: Connection, settings: Settings, connectors: Mapping[str, Connector]
) -> Rows:
    """Rows per settings table; accounts that are no longer set stay, as not active."""
    general = settings.general
    return {
        "setting": [
            {
                "reporting_currency": general.reporting_currency,
                "time_zone": general.time_zone,
                "language": general.language or "en",
                "return_horizon_days": general.return_horizon_days,
                "assumed_transit_days": general.assumed_transit_days,
                "presumed_lost_days": general.presumed_lost_days,
                "presumed_lost_days_express": general.presumed_lost_days_express,
                "include_sunk": general.include_sunk,
                "evidence_min_units": general.evidence.min_units,
                "evidence_max_width": general.evidence.max_width,
                "is_sandbox": settings.is_sandbox,
                "code_version": code_version(),
                "config_hash": settings.config_hash,
                "contract_version": CONTRACT_VERSION,
            }
        ],
        "account": [*_accounts(settings, connectors), *_former(connection, settings, connectors)],
        "account_marketplace": list(_marketplaces(settings)),
        "region": [
            {"region": region, "country": country}
            for region, countries in general.regions.items()
            for country in countries
        ],
        "horizon": [horizon.model_dump() for horizon in settings.horizons],
        "stock_pool": [
            {"stock_pool": pool, "fulfilment_centre_id": centre}
            for pool, centres in settings.stock_pools.items()
            for centre in centres
        ],
        "category": [
            {"category": c.name} | c.model_dump(exclude={"name"}) for c in settings.categories
        ],
        "team": [
            {
                "team": team.name,
                "team_name": team.display_name or team.name,
                "team_kind": team.kind,
                "time_zone": team.time_zone,
                "calendar": team.calendar,
            }
            for team in settings.teams
        ],
        "display_name": [
            {"person_hash": person, "display_name": name}
            for person, name in settings.privacy.display_names.items()
        ],
        "cost_rate": [
            {"cost_kind": kind, "subject": subject, "rate": rate}
            for kind, subject, rate in settings.costs.rates()
        ],
    }


def _accounts(settings: Settings, connectors: Mapping[str, Connector]) -> Iterator[dict[str, Any]]:
    """Accounts of the settings and those that exist without being named (inbox, rates)."""
    accounts = {(a.connector, a.name): a for a in (*settings.default_accounts, *settings.accounts)}
    for (name, account), entry in accounts.items():
        yield {
            "account": account,
            "connector": name,
            "account_kind": _kind(connectors[name]),
            "default_currency": None,
            "started_on": entry.start,
            "is_active": True,
        }


def _kind(connector: Connector) -> str:
    """Word of `dim_account`: files of rates are files like others."""
    kind = connector.account_kind
    return "file_channel" if kind == "reference" else kind


def _former(
    connection: Connection, settings: Settings, connectors: Mapping[str, Connector]
) -> Iterator[dict[str, Any]]:
    """Accounts that brought data once and stand in the settings no more."""
    known = {a.name for a in (*settings.accounts, *settings.default_accounts)} | {"all"}
    rows = connection.execute(
        "select connector, account, cast(min(window_from) as DATE) from load.file group by all"
    ).fetchall()
    for name, account, started in rows:
        if account not in known and name in connectors:
            yield {
                "account": account,
                "connector": name,
                "account_kind": _kind(connectors[name]),
                "default_currency": None,
                "started_on": started,
                "is_active": False,
            }


def _marketplaces(settings: Settings) -> Iterator[dict[str, Any]]:
    for account in settings.accounts:
        for marketplace in account.marketplaces:
            yield {
                "account": account.name,
                "connector": account.connector,
                "marketplace": marketplace,
                "time_zone": account.time_zones.get(marketplace),
                "prices_include_tax": account.prices_include_tax.get(marketplace),
            }
