"""The same questions to every connector that the registry finds; none is named here.

A connector with a sandbox is also read from a small world whose API is throttled, breaks, cuts its
answers, repeats records and lets tokens run out.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pydantic
import pytest

from sources._core.clock import ManualClock
from sources._core.connector import AccountSettings, Connector
from sources._core.extract import ExtractRequest, StreamOutcome, extract_all
from sources._core.landing import all_landed_files
from sources._core.schema import allowed_names, declaration_faults, record_fields
from sources._core.static import Marketplace, Reason
from sources._core.testing import contents, raw_tables, run_night, sandbox_account
from sources._sandbox.scenario import SELLING_CONNECTORS, Scenario
from sources._sandbox.server import sandbox_module_of, serve
from sources._sandbox.world import build_world
from sources._sandbox.world.tables import World
from sources.registry import connectors

PERSONAL = re.compile(
    r"(?i)buyer|e-?mail|phone|post(al)?_?code|zip|address_?line|street|gift_?message"
    r"|(first|last|full|customer|recipient|shopper|agent)_?name"
)
NAMES = sorted(connectors())
SANDBOXED = [name for name in NAMES if sandbox_module_of(name)]
START = date(2026, 3, 1)
HALFWAY = datetime(2026, 3, 25, tzinfo=UTC)
END = datetime(2026, 4, 20, tzinfo=UTC)


@pytest.fixture(params=NAMES)
def connector(request: pytest.FixtureRequest) -> Connector:
    return connectors()[request.param]


def leaf_names(names: Mapping[str, Any]) -> Iterator[str]:
    for name, below in names.items():
        if below is None:
            yield name
        else:
            yield from leaf_names(below)


def test_streams_are_declared_soundly(connector: Connector) -> None:
    assert [fault for s in connector.streams for fault in declaration_faults(s)] == []
    names = [stream.name for stream in connector.streams]
    assert len(names) == len(set(names))
    assert [n for n in names if not re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", n)] == []


def test_lookback_and_windows_make_progress(connector: Connector) -> None:
    for stream in connector.streams:
        assert stream.lookback >= timedelta(0), stream.name
        assert stream.max_window is None or stream.max_window > timedelta(0), stream.name


def test_no_allowed_field_names_a_person(connector: Connector) -> None:
    found = [
        f"{stream.name}.{name}"
        for stream in connector.streams
        for name in leaf_names(allowed_names(stream.record))
        if PERSONAL.search(name)
    ]
    assert found == []


def test_marketplaces_and_reasons_are_there_in_the_common_shape(connector: Connector) -> None:
    static = {stream.name: stream for stream in connector.streams if stream.is_static}
    assert record_fields(static["marketplaces"].record) == record_fields(Marketplace)
    assert record_fields(static["reasons"].record) == record_fields(Reason)


def test_static_lists_land_once_and_whole(connector: Connector, tmp_path: Path) -> None:
    static = frozenset(stream.name for stream in connector.streams if stream.is_static)
    account = AccountSettings(connector=connector.name, name="a", start=START)
    files = []
    for now in (HALFWAY, END):
        request = ExtractRequest(connector, account, streams=static)
        outcomes = extract_all([request], tmp_path, ManualClock(now))
        assert [(o.state, o.error, o.rejected) for o in outcomes] == [("ok", None, 0)] * len(static)
        files.append(len(list(all_landed_files(tmp_path))))
    assert files == [len(static)] * 2
    manifests = [f.manifest for f in all_landed_files(tmp_path)]
    assert all(m.static and m.complete and m.account == "all" for m in manifests)
    assert [m.drift for m in manifests if m.drift] == []
    rows = sum(m.rows for m in manifests)
    keys = sum(len(table) for table in raw_tables(connector, tmp_path).values())
    assert (rows, sum(m.duplicates for m in manifests)) == (keys, 0)


def test_an_unknown_setting_is_an_error(connector: Connector) -> None:
    with pytest.raises(pydantic.ValidationError, match="colour"):
        connector.settings.model_validate(
            {"connector": connector.name, "name": "a", "start": START, "colour": "red"}
        )


def test_default_accounts_belong_to_their_connector(connector: Connector) -> None:
    assert {a.connector for a in connector.default_accounts} <= {connector.name}
    assert all(isinstance(a, connector.settings) for a in connector.default_accounts)


# From here on: connectors with a sandbox.


def marketplaces_of(connector: Connector) -> list[str]:
    """Two marketplaces of one region, from the connector's list; none where a shop is its own."""
    stream = next(s for s in connector.streams if s.name == "marketplaces")
    context: Any = None
    rows = [row for page in stream.read(context, context) for row in page.records]
    same = [r["marketplace"] for r in rows if r.get("region_group") == rows[0].get("region_group")]
    return same[:2]


def scenario_of(connector: Connector, folder: Path, provider: str | None = None) -> Scenario:
    sells = not connector.default_accounts
    text = f"""
        seed = 11
        start = {START}
        today = {END.date()}
        orders_per_day = 6
        skus = 8
        case_rate = 0.3
        review_rate = 0.3

        [api]
        throttle = "fast"
        http_429 = 0.05
        http_503 = 0.05
        truncated = 0.05
        duplicate_record = 0.02
        out_of_order = 0.05
        token_lifetime_s = 900
        """
    name, places = (connector.name, marketplaces_of(connector)) if sells else ("files", [])
    text += f'\n[[accounts]]\nconnector = "{name}"\nname = "std"\nmarketplaces = {places}\n'
    text += f'provider = "{provider}"\n' if provider else ""
    if sells and connector.name not in SELLING_CONNECTORS:  # it tells of what a shop sold
        text += '\n[[accounts]]\nconnector = "shopify"\nname = "shop"\n'
    path = folder / f"{connector.name}.toml"
    path.write_text(text.replace("'", '"'), encoding="utf-8")
    return Scenario.load(path)


@pytest.fixture(scope="module", params=SANDBOXED)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Connector, Scenario, World]:
    connector = connectors()[request.param]
    scenario = scenario_of(connector, tmp_path_factory.mktemp("scenario"))
    return connector, scenario, build_world(scenario)


def account_at(
    connector: Connector, scenario: Scenario, url: str, provider: str | None = None
) -> AccountSettings:
    values: dict[str, Any] = {"start": START} | ({"provider": provider} if provider else {})
    if connector.default_accounts:
        values["name"] = connector.default_accounts[0].name
    else:
        values |= {"name": "std", "marketplaces": scenario.accounts[0].marketplaces}
    return sandbox_account(connector, url, values)


def night(
    world: tuple[Connector, Scenario, World],
    landing: Path,
    now: datetime,
    provider: str | None = None,
) -> tuple[list[StreamOutcome], ManualClock]:
    connector, scenario, made = world
    clock = ManualClock(now)
    with serve(made, scenario, clock=clock, with_personal_data=True) as server:
        account = account_at(connector, scenario, server.base_urls[connector.name], provider)
        outcomes = run_night(connector, account, landing, clock)
        assert server.failures == []
    return outcomes, clock


@pytest.fixture(scope="module")
def one_night(
    world: tuple[Connector, Scenario, World], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[StreamOutcome], ManualClock]:
    landing = tmp_path_factory.mktemp("one_night")
    outcomes, clock = night(world, landing, END)
    return landing, outcomes, clock


OneNight = tuple[Path, list[StreamOutcome], ManualClock]
Made = tuple[Connector, Scenario, World]


def test_a_troubled_api_is_read_to_the_end(world: Made, one_night: OneNight) -> None:
    _landing, outcomes, clock = one_night
    assert [(o.stream, o.error) for o in outcomes if o.state != "ok"] == []
    account = account_at(world[0], world[1], "http://localhost")
    read = {s.name for s in world[0].streams if s.is_static or account.reads(s.name)}
    assert {o.stream for o in outcomes} == read
    assert sum(o.rows for o in outcomes) > 0
    assert all(seconds >= 0 for seconds in clock.sleeps)


def test_cursors_move_to_the_clock_at_most(one_night: OneNight) -> None:
    landing, _outcomes, _clock = one_night
    reached = [f.manifest.cursor_after for f in all_landed_files(landing)]
    moved = [at for at in reached if at is not None]
    assert moved
    assert all(datetime(2026, 3, 1, tzinfo=UTC) < at <= END for at in moved)


def test_records_are_kept_or_counted(world: Made, one_night: OneNight) -> None:
    landing, _outcomes, _clock = one_night
    for landed in all_landed_files(landing):
        manifest = landed.manifest
        assert landed.is_intact()
        assert manifest.rows == sum(1 for _ in landed.lines())
        assert [r for r in manifest.rejects if r.count] == [], manifest.stream
        assert [d.field for d in manifest.drift] == [], manifest.stream


def test_the_same_night_again_changes_nothing(
    world: Made, one_night: OneNight, tmp_path: Path
) -> None:
    landing, _outcomes, _clock = one_night
    before = raw_tables(world[0], landing)
    again, _clock = night(world, landing, END)
    assert [o.error for o in again if o.error] == []
    assert raw_tables(world[0], landing) == before


HAPPENINGS = re.compile(
    r"order|unit|line|shipment|return|refund|reimburs|feedback|booking|settlement|shop_|market_"
    r"|service|review|parcel|scan|move|removal|inspection|state"
)


def check_a_silent_night(world: Made, landing: Path, provider: str | None = None) -> None:
    """Rows that were read stay as they are when the source has nothing to tell any more, but for a
    report that is complete for its days, which says that a row was withdrawn."""
    connector, scenario, made = world
    before = raw_tables(connector, landing)
    tables = {
        f.name: getattr(made, f.name).clear()
        for f in fields(made)
        if HAPPENINGS.search(f.name) and f.name != "marketplaces"
    }
    emptied = (connector, scenario, replace(made, **tables))
    outcomes, _clock = night(emptied, landing, END + timedelta(days=1), provider)
    assert [o.error for o in outcomes if o.error] == []
    silent = {(o.account, o.stream) for o in outcomes if not o.rows}
    assert any(before.get(place) for place in silent) or connector.account_kind == "reference"
    after = raw_tables(connector, landing)
    for place, rows in before.items():
        stream = next(s for s in connector.streams if s.name == place[1])
        if not stream.complete_within:
            assert rows.keys() <= after[place].keys(), place
            assert place not in silent or after[place] == rows, place


def test_a_night_in_which_a_source_tells_nothing_takes_nothing_away(
    world: Made, one_night: OneNight, tmp_path: Path
) -> None:
    landing = tmp_path / "landing"
    shutil.copytree(one_night[0], landing)
    check_a_silent_night(world, landing)


def providers() -> Iterator[tuple[str, str]]:
    """Vendors of a connector besides its usual one."""
    for name in SANDBOXED:
        field = connectors()[name].settings.model_fields.get("provider")
        if field is not None:
            yield from ((name, vendor) for vendor in get_args(field.annotation)
                        if vendor != field.default)  # fmt: skip


@pytest.mark.parametrize(("name", "vendor"), list(providers()))
def test_a_night_in_which_another_vendor_tells_nothing_takes_nothing_away(
    name: str, vendor: str, tmp_path: Path
) -> None:
    connector = connectors()[name]
    scenario = scenario_of(connector, tmp_path, vendor)
    made = (connector, scenario, build_world(scenario))
    landing = tmp_path / "landing"
    outcomes, _clock = night(made, landing, END, vendor)
    assert [o.error for o in outcomes if o.error] == []
    check_a_silent_night(made, landing, vendor)


def test_two_nights_give_the_same_rows_as_one(
    world: Made, one_night: OneNight, tmp_path: Path
) -> None:
    landing, _outcomes, _clock = one_night
    for now in (HALFWAY, END):
        outcomes, _clock = night(world, tmp_path, now)
        assert [o.error for o in outcomes if o.error] == []
    split, whole = raw_tables(world[0], tmp_path), raw_tables(world[0], landing)
    assert split.keys() == whole.keys()
    for place, rows in whole.items():
        assert split[place].keys() == rows.keys(), place
        assert split[place] == rows, place


def test_nothing_personal_and_no_secret_is_landed_or_logged(
    world: Made, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    night(world, tmp_path, HALFWAY)
    buyers = world[2].buyers
    personal = {
        value
        for column in ("name", "email", "phone", "street", "postcode")
        for value in buyers[column].drop_nulls().unique().to_list()[:300]
    }
    assert personal
    landed = b"\n".join(contents(tmp_path)).decode()
    text = landed + "\n".join(record.getMessage() for record in caplog.records)
    assert [value for value in personal if value in text] == []
    assert "sandbox-std" not in text
    assert "Atza|" not in text


def test_a_wrong_secret_names_what_to_do(world: Made, one_night: OneNight, tmp_path: Path) -> None:
    connector, scenario, made = world
    if not connector.settings.secret_names:
        assert connector.account_kind == "reference"
        return
    clock = ManualClock(END)
    with serve(made, scenario, clock=clock) as server:
        account = account_at(connector, scenario, server.base_urls[connector.name])
        wrong = dict.fromkeys(account.secrets, pydantic.SecretStr("sandbox-nobody"))
        refused = account.model_copy(update={"secrets": wrong})
        outcomes = run_night(connector, refused, tmp_path, clock)
    own = [outcome for outcome in outcomes if outcome.account == account.name]
    assert [o.stream for o in own if o.rows] == []
    errors = [o.error for o in own if o.error is not None]
    giving = {o.stream for o in one_night[1] if o.rows and o.account == account.name}
    assert giving
    assert giving <= {o.stream for o in own if o.error is not None}
    for error in errors:
        assert "secret" in error
        assert "sandbox-nobody" not in error
