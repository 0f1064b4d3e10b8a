"""Every wrong setting is named with its key and the fix; secrets come from named variables only."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.settings import Settings, SettingsError, load_settings, parse_settings
from sources._core.connector import AccountSettings, Connector
from sources.registry import connectors

SECRETS = {"AFTERSALES_CUSTOMER_KEY": "key", "TOKEN": "Atzr|very-secret", "ID": "i", "SECRET": "s"}
AMAZON = """
[[accounts]]
connector = "amazon"
name = "amz_eu"
start = 2026-01-01
marketplaces = ["DE", "amazon_fr"]
secrets = { refresh_token = "TOKEN", client_id = "ID", client_secret = "SECRET" }
"""


def parse(text: str, secrets: dict[str, str] | None = None) -> Settings:
    known = SECRETS if secrets is None else secrets
    return parse_settings(tomllib.loads(text), connectors(), known.get, Path("inbox"))


def problems(text: str, secrets: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse(text, secrets)
    return list(caught.value.problems)


def test_no_file_is_all_defaults_and_no_account(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "none.toml", connectors(), SECRETS.get, tmp_path)
    assert settings.accounts == ()
    assert settings.general.return_horizon_days == 60
    assert settings.general.evidence.min_units == 50


@pytest.mark.parametrize(
    ("text", "key", "fix"),
    [
        ('[settings]\nreporting_curency = "USD"', "settings.reporting_curency", "did you mean"),
        ('[settings]\nreporting_currency = "usd"', "settings.reporting_currency", "ISO 4217"),
        ('[settings]\ntime_zone = "Shanghai"', "settings.time_zone", "Asia/Shanghai"),
        ('[settings]\nlanguage = "de"', "settings.language", "'en' or 'zh'"),
        ("[settings]\nreturn_horizon_days = 0", "settings.return_horizon_days", "greater"),
        ('[settings]\nregions = { EU = ["Germany"] }', "settings.regions.EU[1]", "DE"),
        ('[settings]\nregions = { A = ["DE"], B = ["DE"] }', "settings.regions", "one region"),
        ("[settings.evidence]\nmin_unit = 5", "settings.evidence.min_unit", "min_units"),
        ("[[horizons]]\ncategory = 'x'", "horizons[1].days", "add this key"),
        ("[stock_pools]\na = ['W1']\nb = ['W1']", "stock_pools", "one pool"),
        ("[[categories]]\nname = 'x'\nis_foood = true", "categories[1].is_foood", "is_food"),
        ("[[teams]]\nname = 'x'\nkind = 'sales'", "teams[1].kind", "service"),
        ("[costs]\nlabour_per_hr = 20", "costs.labour_per_hr", "labour_per_hour"),
        ("[costs]\nrecovery_share = { defective = 3 }", "costs.recovery_share.defective", "1"),
        ("[costs]\nrecovery_share = { broken = 0.1 }", "costs.recovery_share.broken", "expired"),
        ("[inbox]\nencodings = ['latin-1']", "inbox.encodings[1]", "gb18030"),
        ("[publish]\nfact_month = 3", "publish.fact_month", "fact_months"),
        ("[[publish.slices]]\nname = 'x'\naccounts = ['nobody']", "publish.slices (x)", "nobody"),
        ("[alert]\nrules_file = 'x'", "alert", "alerts"),
        ("[[accounts]]\nname = 'x'", "accounts[1] (x).connector", "amazon"),
        ("[[accounts]]\nconnector = 'amazn'", "accounts[1].connector", "amazon"),
    ],
)
def test_a_wrong_key_is_named_with_its_fix(text: str, key: str, fix: str) -> None:
    matching = [p for p in problems(text) if p.startswith(key)]
    assert matching, problems(text)
    assert any(fix in p for p in matching), matching


def test_an_estimate_without_a_rate_in_the_settings_has_none(tmp_path: Path) -> None:
    path = tmp_path / "aftersales.toml"
    path.write_text(
        "[costs]\nlabour_per_hour = 18.5\nrecovery_share = { expired = 0.1 }\n", "utf-8"
    )
    rates = list(load_settings(path, connectors(), SECRETS.get, tmp_path).costs.rates())
    assert rates == [
        ("labour_per_hour", "all", Decimal("18.5")),
        ("recovery_share", "expired", Decimal("0.1")),
    ]


def test_all_faults_are_told_at_once() -> None:
    found = problems("[[accounts]]\nconnector = 'x'\n[[accounts]]\nconnector = 'y'")
    assert len(found) == 2


def test_the_connector_completes_marketplaces_and_the_secrets_stay_hidden() -> None:
    settings = parse(AMAZON)
    (account,) = settings.accounts
    assert account.marketplaces == ("amazon_de", "amazon_fr")
    assert account.secrets["refresh_token"].get_secret_value() == SECRETS["TOKEN"]
    assert account.secrets["customer_key"].get_secret_value() == "key"
    assert SECRETS["TOKEN"] not in repr(settings)


@pytest.mark.parametrize("missing", ["TOKEN", "AFTERSALES_CUSTOMER_KEY"])
def test_a_variable_that_is_not_set_is_named(missing: str) -> None:
    rest = {k: v for k, v in SECRETS.items() if k != missing}
    (found,) = problems(AMAZON, rest)
    assert missing in found
    assert "not set" in found


def test_a_secret_written_into_the_file_is_not_repeated() -> None:
    found = problems(AMAZON.replace('"TOKEN"', "12345678"))
    assert any("refresh_token" in p for p in found)


def test_a_secret_that_the_connector_needs_is_asked_for() -> None:
    found = problems(AMAZON.replace('client_id = "ID", ', ""))
    assert any("secrets.client_id" in p and "add" in p for p in found)


def test_two_accounts_of_one_name_are_refused() -> None:
    assert any("twice" in p for p in problems(AMAZON + AMAZON))


def test_the_hash_of_the_settings_changes_with_what_changes_figures() -> None:
    one = parse(AMAZON).config_hash
    assert one == parse(AMAZON, {**SECRETS, "TOKEN": "other"}).config_hash
    assert one == parse(AMAZON + 'base_url = "http://127.0.0.1:4711"').config_hash
    assert one != parse(AMAZON + "[settings]\nreturn_horizon_days = 30").config_hash


def test_a_connector_with_an_account_of_its_own_gets_the_inbox_section() -> None:
    settings = parse(AMAZON + '[inbox]\nencodings = ["utf-8", "gb18030"]\narchive_days = 3')
    inbox: Any = next(a for a in settings.default_accounts if a.connector == "files")
    assert inbox.encodings == ("utf-8", "gb18030")
    assert inbox.archive_days == 3
    assert inbox.inbox_dir == Path("inbox")
    assert [a.name for a in inbox.known_accounts] == ["amz_eu"]


def test_a_default_account_can_be_overridden_by_its_name() -> None:
    entry = (
        '[[accounts]]\nconnector = "fx"\nname = "ecb"\nbase_url = "http://here"\nstart = 2026-01-01'
    )
    settings = parse(entry)
    (rates,) = [a for a in settings.default_accounts if a.connector == "fx"]
    assert rates.base_url == "http://here"


def test_broken_toml_says_where(tmp_path: Path) -> None:
    path = tmp_path / "aftersales.toml"
    path.write_text("[settings\n")
    with pytest.raises(SettingsError, match="line 1"):
        load_settings(path, connectors(), SECRETS.get, tmp_path)


def test_a_new_connector_is_validated_by_its_own_settings() -> None:
    class Shop(AccountSettings):
        shop_id: int

    pretend = Connector("pretend", (), Shop, open=lambda account, _clock: account)
    content = {"accounts": [{"connector": "pretend", "name": "a", "start": date(2026, 1, 1)}]}
    with pytest.raises(SettingsError, match="shop_id: missing"):
        parse_settings(content, {"pretend": pretend}, SECRETS.get, Path("inbox"))
