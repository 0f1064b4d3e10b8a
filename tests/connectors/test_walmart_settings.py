"""Settings of a Walmart store, and what `aftersales check-config` says of its key."""

from __future__ import annotations

import pydantic
import pytest

from sources._core.clock import ManualClock
from sources._core.errors import ConfigurationError
from sources.walmart import CONNECTOR
from sources.walmart.config import MARKETS, METRICS, RATES, WalmartAccount
from sources.walmart.streams import STREAMS
from tests.connectors.walmart_stub import NOW, START, StubWalmart, account


def test_a_store_is_in_the_us_unless_told_otherwise() -> None:
    bare = WalmartAccount(connector="walmart", name="a", start=START)
    assert (bare.marketplaces, bare.market, bare.is_global) == (("walmart_us",), "us", False)
    assert bare.token_endpoint == "https://marketplace.walmartapis.com/v3/token"


@pytest.mark.parametrize(
    ("name", "market"), [("US", "us"), ("walmart_ca", "ca"), (" mx", "mx"), ("Walmart_CL", "cl")]
)
def test_a_market_may_be_written_in_short(name: str, market: str) -> None:
    found = account(marketplaces=[name])
    assert (found.market, found.is_global) == (market, market != "us")


@pytest.mark.parametrize("names", [[], ["us", "ca"], ["walmart_de"]])
def test_an_account_is_one_market(names: list[str]) -> None:
    with pytest.raises(pydantic.ValidationError, match=r"walmart_us"):
        account(marketplaces=names)


def test_markets_have_their_row_in_the_list() -> None:
    stream = next(stream for stream in STREAMS if stream.name == "marketplaces")
    context: object = None
    rows = [row for page in stream.read(context, context) for row in page.records]  # type: ignore[arg-type]
    assert [row["marketplace"] for row in rows] == [f"walmart_{market}" for market in MARKETS]  # type: ignore[index]


def test_each_metric_has_a_bucket_of_its_own() -> None:
    assert {f"insights {metric}" for metric in METRICS} <= set(RATES)


def test_a_missing_secret_is_named() -> None:
    bare = account().model_copy(update={"secrets": {}})
    with pytest.raises(ConfigurationError, match="account store has no secret client_id"):
        CONNECTOR.open(bare, ManualClock(NOW))


def test_a_refused_key_says_where_to_look_and_shows_no_secret() -> None:
    client = CONNECTOR.open(account(secret="wrong-value"), ManualClock(NOW))
    with StubWalmart().running():
        (check,) = CONNECTOR.check(client)
    assert not check.ok
    assert "API Key Management" in check.message
    assert "wrong-value" not in check.message


def test_rights_are_listed_one_by_one() -> None:
    client = CONNECTOR.open(account(), ManualClock(NOW))
    with StubWalmart().running():
        checks = {check.subject: check.ok for check in CONNECTOR.check(client)}
    assert checks == {"login": True, "orders": True, "returns": True, "reports": False}
