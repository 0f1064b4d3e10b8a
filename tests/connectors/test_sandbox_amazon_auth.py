"""Tokens, rights, throttling and failing answers of the Amazon sandbox."""

from __future__ import annotations

import json

import pytest

from sources._core.clock import ManualClock
from sources._sandbox.api_faults import MAX_IN_A_ROW, ApiFaults
from tests.connectors.sandbox_small_world import (
    DOCUMENTS,
    ORDERS,
    REPORTS,
    SETTLEMENTS,
    TODAY,
    caller,
    content_of,
    error_of,
)

SELLERS = "/sellers/v1/marketplaceParticipations"
SINCE = {"lastUpdatedAfter": "2026-05-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "sandbox-amz_jp"}, 401, "invalid_client"),
        ({"client_id": "amzn1.other"}, 401, "invalid_client"),
        ({"refresh_token": "Atzr|revoked"}, 400, "invalid_grant"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "other"}, 400, "invalid_scope"),
    ],
)
def test_a_wrong_secret_is_refused_as_lwa_does(
    changes: dict[str, str], status: int, error: str
) -> None:
    response = caller().log_in(**changes)
    assert response.status == status
    assert content_of(response)["error"] == error


def test_the_token_picks_the_account_and_lives_as_long_as_the_scenario_says() -> None:
    one = caller("amz_jp", api={"token_lifetime_s": 900})
    answer = content_of(one.log_in())
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 900)
    payload = content_of(one.get(SELLERS))["payload"]
    assert [p["marketplace"]["countryCode"] for p in payload] == ["JP"]
    one.clock.sleep(901)
    response = one.get(SELLERS)
    assert response.status == 403
    assert b"The access token you provided has expired." in response.body
    one.log_in()
    assert one.get(SELLERS).status == 200


def test_no_token_and_a_made_up_token_are_refused() -> None:
    one = caller()
    one.token = ""
    assert error_of(one.get(SELLERS)) == (401, "Unauthorized")
    one.token = "Atza|guess"
    assert error_of(one.get(SELLERS)) == (403, "Unauthorized")


def test_a_grantless_token_reads_no_seller() -> None:
    one = caller()
    one.log_in(
        grant_type="client_credentials", scope="sellingpartnerapi::notifications", refresh_token=""
    )
    assert one.get(SELLERS).status == 403


def test_a_restricted_token_serves_one_path() -> None:
    one = caller()
    path = f"{DOCUMENTS}/amzn1.spdoc.x"
    body = {"restrictedResources": [{"method": "GET", "path": path}]}
    answer = one.send(
        "POST", "/tokens/2021-03-01/restrictedDataToken", body=json.dumps(body).encode()
    )
    one.token = content_of(answer)["restrictedDataToken"]
    assert one.get(SELLERS).status == 403
    assert one.get(path).status == 404


def test_a_missing_role_is_refused_for_its_operations_only() -> None:
    roles = {"amz_eu": frozenset({"Finance and Accounting"})}
    one = caller(missing_roles=roles)
    assert error_of(one.get(REPORTS, reportTypes=SETTLEMENTS)) == (403, "Unauthorized")
    assert one.get(ORDERS, **SINCE).status == 200
    roles = {"amz_eu": frozenset({"Inventory and Order Tracking"})}
    assert caller(missing_roles=roles).get(ORDERS, **SINCE).status == 403


def test_realistic_throttling_follows_the_usage_plan() -> None:
    one = caller(api={"throttle": "realistic"})
    answers = [one.get(ORDERS, **SINCE) for _ in range(21)]
    assert {a.status for a in answers[:20]} == {200}
    assert error_of(answers[20]) == (429, "QuotaExceeded")
    assert "x-amzn-RateLimit-Limit" not in answers[20].headers
    one.clock.sleep(179)
    assert one.get(ORDERS, **SINCE).status == 200


@pytest.mark.parametrize(
    ("throttle", "wait", "rate"), [("realistic", 179, "0.0056"), ("fast", 0, "100")]
)
def test_every_answer_has_a_request_id_and_most_good_ones_the_rate(
    throttle: str, wait: float, rate: str
) -> None:
    one = caller(api={"throttle": throttle})
    answers = []
    for _ in range(40):
        answers.append(one.get(ORDERS, **SINCE))
        one.clock.sleep(wait)
    assert len({a.headers["x-amzn-RequestId"] for a in answers}) == 40
    shown = [a.headers.get("x-amzn-RateLimit-Limit") for a in answers]
    assert set(shown) == {rate, None}


def test_an_unknown_path_is_forbidden() -> None:
    assert caller().get("/orders/v0/orders").status == 403


def test_faults_strike_by_share_and_never_for_ever() -> None:
    shares = {"http_429": 0.3, "http_503": 0.2}
    first, second = (ApiFaults(3, shares) for _ in range(2))
    fates = [first.next_fault("amz_eu:getReport") for _ in range(400)]
    assert fates == [second.next_fault("amz_eu:getReport") for _ in range(400)]
    assert 90 < fates.count("http_429") < 150
    longest = max(len(run) for run in "".join("x" if f else " " for f in fates).split())
    assert longest <= MAX_IN_A_ROW
    assert ApiFaults(3, {}).next_fault("amz_eu:getReport") is None


def test_planted_answers_look_like_the_apis_own() -> None:
    busy = caller(api={"http_429": 1.0}).get(ORDERS, **SINCE)
    assert error_of(busy) == (429, "QuotaExceeded")
    down = caller(api={"http_503": 1.0}).get(ORDERS, **SINCE)
    assert error_of(down) == (503, "ServiceUnavailable")
    assert caller(api={"truncated": 1.0}).get(ORDERS, **SINCE).is_truncated
    assert caller(api={"slow": 1.0}).get(ORDERS, **SINCE).delay_s > 0


def outage(**more: str) -> list[dict[str, str]]:
    return [{"kind": "source_outage", "connector": "amazon", **more}]


def test_an_outage_stops_one_account_from_its_first_to_its_last_day() -> None:
    faults = outage(account="amz_eu", **{"from": "2026-05-30", "to": "2026-05-31"})
    for day, status in ((29, 200), (30, 503), (31, 503)):
        clock = ManualClock(TODAY.replace(month=5, day=day))
        assert caller(clock=clock, faults=faults).get(ORDERS, **SINCE).status == status
    assert caller(faults=faults).get(ORDERS, **SINCE).status == 200
    clock = ManualClock(TODAY.replace(month=5, day=30))
    assert caller("amz_jp", clock=clock, faults=faults).get(ORDERS, **SINCE).status == 200


def test_an_outage_of_the_whole_connector_refuses_the_connection() -> None:
    clock = ManualClock(TODAY.replace(month=5, day=31))
    one = caller(faults=outage(**{"from": "2026-06-01"}), clock=clock)
    clock.sleep(24 * 3600)
    assert one.get(ORDERS, **SINCE).is_dropped
    assert one.log_in().is_dropped
