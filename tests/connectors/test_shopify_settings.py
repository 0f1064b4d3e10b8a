"""Settings of a shop, rights and versions: what is refused, and what the message says to do."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import graphql
import pydantic
import pytest

from pipelines.settings import SettingsError, parse_settings
from sources._core.clock import ManualClock
from sources._core.extract import StreamOutcome
from sources.registry import connectors
from sources.shopify.checks import check_account
from sources.shopify.client import ShopifyClient
from sources.shopify.config import SIZES
from sources.shopify.operations import OPERATIONS, bulk_query, text_of
from tests.connectors import shopify_stub as stub
from tests.connectors.shopify_stub import NOW, Nights, StubShop

SEARCH = "updated_at:>='2026-01-01T00:00:00Z' AND updated_at:<'2026-02-01T00:00:00Z'"


def orders_of(tmp_path: Path, stub_shop: StubShop, **settings: object) -> StreamOutcome:
    nights = Nights(tmp_path, (stub.account(**settings),))
    with stub_shop.running():
        return nights.extract(NOW, "orders")[0]


@pytest.mark.parametrize("operation", [*OPERATIONS, "bulk"])
def test_every_operation_is_valid_under_the_official_schema(operation: str) -> None:
    text = bulk_query(SEARCH) if operation == "bulk" else text_of(operation)
    document = graphql.parse(text)  # where the schema is not there, it is at least GraphQL
    names = [d for d in document.definitions if isinstance(d, graphql.OperationDefinitionNode)]
    assert len(names) == 1
    schema = stub.schema()
    if schema is not None:
        assert graphql.validate(schema, document) == []


def test_every_operation_with_pages_has_its_sizes() -> None:
    for operation, sizes in SIZES.items():
        text = text_of(operation)
        assert all(f"${name}: Int!" in text for name in sizes), operation
    assert set(SIZES) == set(OPERATIONS) - {"Preflight", "BulkStart", "BulkPoll", "BulkOrders"}


def test_a_bulk_query_keeps_to_the_limits() -> None:
    """One list at the top, at most five connections, two levels, none of them inside a list."""
    body = bulk_query(SEARCH)
    assert body.count("edges {") == 3
    assert "fulfillments { id }" in body
    assert SEARCH in body


def test_another_shop_than_the_one_set_is_refused(tmp_path: Path) -> None:
    outcome = orders_of(tmp_path, StubShop(domain="other.myshopify.com"))
    assert outcome.state == "failed"
    assert "other.myshopify.com" in str(outcome.error)
    assert "Correct shop" in str(outcome.error)


def test_an_answer_of_another_version_is_refused(tmp_path: Path) -> None:
    outcome = orders_of(tmp_path, StubShop(version="2027-01"))
    assert "2027-01 instead of 2026-10" in str(outcome.error)


def test_a_token_without_rights_is_refused(tmp_path: Path) -> None:
    """An app version that was released without rights gives a valid token."""
    outcome = orders_of(tmp_path, StubShop(scopes=[]))
    assert "read_orders" in str(outcome.error)
    assert "check-config" in str(outcome.error)


def test_hidden_orders_are_refused_at_the_start_and_noted_later(tmp_path: Path) -> None:
    scopes = [scope for scope in StubShop().scopes if scope != "read_all_orders"]
    early = NOW.date() - timedelta(days=90)
    refused = orders_of(tmp_path / "early", StubShop(scopes=scopes), start=early)
    assert "read_all_orders" in str(refused.error)
    assert str(NOW.date() - timedelta(days=59)) in str(refused.error)
    assert orders_of(tmp_path / "late", StubShop(scopes=scopes)).state == "ok"


def test_a_refused_login_names_the_secrets(tmp_path: Path) -> None:
    outcome = orders_of(tmp_path, StubShop(secret="another"))
    assert "secrets.client_secret" in str(outcome.error)
    assert "secret-1" not in str(outcome.error)


def test_a_lasting_token_needs_no_login(tmp_path: Path) -> None:
    shop = StubShop(secret="none")
    secrets = {"access_token": pydantic.SecretStr("shpat_old")}
    assert orders_of(tmp_path, shop, secrets=secrets).state == "ok"
    assert {asked.token for asked in shop.asked} == {"shpat_old"}


def test_a_closed_shop_is_not_tried_again(tmp_path: Path) -> None:
    shop = StubShop()
    answer = stub.envelope(data=None, errors=stub.errors("SHOP_INACTIVE"))
    shop.script("Preflight", lambda _asked: answer)
    outcome = orders_of(tmp_path, shop)
    assert "closed or frozen" in str(outcome.error)
    assert len(shop.asked) == 1


def test_check_config_lists_every_right() -> None:
    scopes = ["read_orders", "read_returns"]
    settings = stub.account(start=date(2026, 3, 1))
    with StubShop(scopes=scopes).running():
        checks = check_account(ShopifyClient(settings, ManualClock(NOW)))
    found = {check.subject: check.ok for check in checks}
    assert found["shop"]
    assert found["read_returns"]
    assert not found["read_locations"]
    assert found["read_all_orders"]  # the history that is asked for is young enough
    assert all("To get it" in check.message for check in checks if not check.ok)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"shop": "www.brand.com"}, "not that of its storefront"),
        ({"marketplaces": ("shopify_us",)}, "a shop is one marketplace"),
    ],
)
def test_settings_say_what_to_write(values: dict[str, object], words: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=words):
        stub.account(**values)


def test_an_account_without_a_shop_is_not_opened(tmp_path: Path) -> None:
    assert "add shop" in str(orders_of(tmp_path, StubShop(), shop=None).error)


def test_a_shop_is_its_own_marketplace() -> None:
    settings = stub.account("main", shop="brand")
    assert settings.shop == "brand.myshopify.com"
    assert settings.marketplaces == ("shopify_main",)
    assert settings.token_endpoint == "https://brand.myshopify.com/admin/oauth/access_token"


def test_either_set_of_secrets_will_do() -> None:
    entry = {"connector": "shopify", "name": "a", "start": date(2026, 1, 1), "shop": "brand"}
    known = connectors()
    for secrets in ({"access_token": "T"}, {"client_id": "I", "client_secret": "S"}):
        content = {"accounts": [{**entry, "secrets": secrets}]}
        (account,) = parse_settings(content, known, lambda name: name, Path()).accounts
        assert account.marketplaces == ("shopify_a",)
    with pytest.raises(SettingsError, match=r"secrets\.client_secret: missing"):
        content = {"accounts": [{**entry, "secrets": {"client_id": "I"}}]}
        parse_settings(content, known, lambda name: name, Path())
