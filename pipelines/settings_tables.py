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
# Kinds of account that sell or serve; the others (rates, the inbox itself) are not accounts of
# the seller.
_SELLERS_OWN = ("marketplace", "own_shop", "tracking", "helpdesk", "file_channel")


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
    }


def _accounts(settings: Settings, connectors: Mapping[str, Connector]) -> Iterator[dict[str, Any]]:
    for account in settings.accounts:
        connector = connectors[account.connector]
        if connector.account_kind in _SELLERS_OWN:
            yield {
                "account": account.name,
                "connector": account.connector,
                "account_kind": connector.account_kind,
                "default_currency": None,
                "started_on": account.start,
                "is_active": True,
            }


def _former(
    connection: Connection, settings: Settings, connectors: Mapping[str, Connector]
) -> Iterator[dict[str, Any]]:
    """Accounts that brought data once and stand in the settings no more."""
    known = {a.name for a in (*settings.accounts, *settings.default_accounts)} | {"all"}
    rows = connection.execute(
        "select connector, account, cast(min(window_from) as DATE) from load.file group by all"
    ).fetchall()
    for name, account, started in rows:
        kind = connectors[name].account_kind if name in connectors else "marketplace"
        if account not in known and kind in _SELLERS_OWN:
            yield {
                "account": account,
                "connector": name,
                "account_kind": kind,
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
