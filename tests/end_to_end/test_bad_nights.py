"""Bad input and bad luck over whole nights: what each gets, what is said, and that nothing is lost.

One installation has every misfortune: a disk that is full, a wrong secret, a missing right, tokens
that end in the middle of a run, throttling, broken and cut answers, unknown codes and fields, files
of all kinds of bad. Beside it lies a calm one that meets none of them. What the misfortunes do not
touch must be equal after the bad night, and everything after the night in which they are mended.
"""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from assets.comparison import compare_marts
from assets.warehouse import StorageFullError
from pipelines import cli
from pipelines import night as steps
from pipelines.night import NightRunningError, exclusive
from sources._sandbox.server import App, Request, Response, RunningSandbox
from sources._sandbox.world.tables import World
from tests.end_to_end.nights import Row, ServerClock, Shop, finish, scenario_of, served, world_of

SCENARIO = """
seed = 23
start = 2026-03-01
today = 2026-04-20
orders_per_day = 7
skus = 2
languages = ["en"]
scan_share = 0.3
accounts = [
    { connector = "amazon", name = "amz_de", marketplaces = ["DE"] },
    { connector = "amazon", name = "amz_fr", marketplaces = ["FR"] },
    { connector = "amazon", name = "amz_gb", marketplaces = ["GB"] },
    { connector = "files", name = "souq", countries = ["AE"] },
]
"""
STORM = """
[[faults]]
kind = "schema_drift"
connector = "amazon"
stream = "fba_returns"
change = "add"
field = "zz-new-column"
[api]
http_429 = 0.1
http_503 = 0.05
truncated = 0.05
"""
# Two nights before the bad one, in which its secret is wrong: three without a word of this account.
DOWN = """
[[faults]]
kind = "source_outage"
connector = "amazon"
account = "amz_fr"
from = 2026-04-18
to = 2026-04-19
"""
FULFILMENT_ROLE = "Amazon Fulfillment"
NO_ROLE = {"amz_gb": [FULFILMENT_ROLE]}
NEW_REASON = "XYZ_NEW"
UNTOUCHED = "account in ('amz_de', 'souq')"
FACTS = (
    "marts.fct_order_line",
    "marts.fct_unit_outcome",
    "marts.fct_lot_allocation",
    "marts.fct_return_line",
    "marts.fct_return_lot",
    "marts.fct_refund_line",
    "marts.fct_settlement_line",
    "marts.mart_return_base",
    "marts.mart_return_rate_by_sku",
    "marts.mart_return_reason_by_sku",
)
Failures = dict[tuple[str, str, str], str]  # by connector, account, stream
HEADER = "channel,order_ref,line_ref,sku,ordered_at,country,quantity,unit_price,currency\n"


def line(ref: str, price: str = "5.00", *, sku: str = "SKU-0001", **cells: str) -> str:
    """A row of the dataset `orders`."""
    at, currency = cells.get("at", "2026-04-02T09:00:00Z"), cells.get("currency", "EUR")
    return f"bazaar,{ref},1,{sku},{at},AE,1,{price},{currency}\n"


GOOD_LINES = "".join(line(f"G{number}") for number in range(80))
STRANGE = line("S1", sku="NOT-LISTED") + line("S2", currency="KWD")
MENDED = line("M1") + line("M2", "7.00")
BAD_LINES = line("M1", at="03/04/2026") + line("M2", "7.00") + line("M2", "8.00") + line("G0")
GROWING = line("W1")
RECEIPTS = (
    "receipt_id,line_no,fulfilment_centre_id,country,lot_id,sku,received_at,"
    "quantity_received,quantity_damaged\n"
    "ZZ-R1,1,ZZ9,CN,NO-SUCH-LOT,SKU-0001,2026-03-02,50,0\n"
)


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """No file can grow beyond some bytes: what a full disk is to one who writes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@dataclass
class ForgetfulApp:
    """After some answers every token and link that was given has ended."""

    app: App
    clock: ServerClock
    after: int = 12
    answered: int = 0
    logins: int = 0
    texts: list[str] = field(default_factory=list)

    def handle(self, request: Request) -> Response:
        response = self.app.handle(request)
        self.logins += request.path.endswith("/token") and response.status == 200
        self.answered += 1
        if self.answered == self.after:
            self.clock.jump(4_000)
        if response.status == 403:
            self.texts.append(response.body.decode("utf-8", "replace"))
        return response


def forget(running: RunningSandbox, clock: ServerClock) -> ForgetfulApp:
    """Put the forgetful app before Amazon's."""
    forgetful = ForgetfulApp(running.apps["amazon"], clock)
    for server in running._servers:
        if server.app is running.apps["amazon"]:
            server.app = forgetful
    return forgetful


def strange_world(folder: Path) -> World:
    """The world, with one return whose reason nobody has heard of."""
    world = world_of(scenario_of(SCENARIO, folder))
    day = world.scenario.clock.replace(tzinfo=None) - timedelta(days=1)
    returns = world.returns.with_row_index("row")
    mine = returns.filter(
        (pl.col("account") == "amz_de")
        & (pl.col("fulfilled_by") == "marketplace")
        & pl.col("is_buyer_return")
        & (pl.col("posted_at") < day)
    )
    assert mine.height > 0, "choose another seed: no return to give a new reason"
    chosen = pl.col("row") == mine["row"][0]
    reason = pl.when(chosen).then(pl.lit(NEW_REASON)).otherwise("reason_code").alias("reason_code")
    return replace(world, returns=returns.with_columns(reason).drop("row"))


@dataclass
class Story:
    """The two installations, and what was seen of the unlucky one after its bad night."""

    calm: Shop
    unlucky: Shop
    full_message: str
    forgetful: ForgetfulApp
    while_down: list[Failures]
    failures: Failures
    bad_night: dict[str, list[Row]]
    differences: list[str]
    errors_file: str
    was_left: bool
    kept_build: tuple[str, str]
    publish_message: str
    last_failures: Failures


WATCHED = {
    "freshness": "from meta.freshness",
    "drift": "from meta.schema_drift",
    "unmapped": "from meta.unmapped_code",
    "quality": "from meta.data_quality",
    "quarantine": "from meta.quarantine",
    "bazaar": "from marts.fct_order_line where account = 'bazaar'",
    "lots": "from marts.dim_lot where lot_id = 'NO-SUCH-LOT'",
    "build": "from meta.current",
    "alerts": "from signals.alert where state <> 'resolved'",
}


def run_calm(folder: Path, world: World) -> Shop:
    calm = Shop(folder, world.scenario)
    with served(world) as running:
        calm.configure(running.base_urls)
        calm.drop_files(world)
        calm.drop("orders", "all.csv", HEADER + GOOD_LINES + STRANGE + MENDED + GROWING)
        calm.drop("goods_receipts", "extra.csv", RECEIPTS)
        assert calm.night().failures == {}
    return calm


def read_earlier(
    shop: Shop, world: World, days: int, roles: Mapping[str, Sequence[str]] | None = None
) -> Failures:
    """A night some days before, up to the loading, and what of it failed."""
    clock = ServerClock(world.scenario.clock - timedelta(days=days))
    with served(world, clock=clock, missing_roles=roles) as running:
        shop.configure(running.base_urls)
        with shop.opened(clock.at) as night:
            steps.prepare(night)
            steps.extract(night)
            steps.load(night, "load")
            steps.record(night)
            return dict(night.report.failures)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("bad-nights")
    world = strange_world(folder)
    stormy = replace(world, scenario=scenario_of(SCENARIO + STORM, folder / "storm"))
    calm = run_calm(folder / "calm", world)
    shop = Shop(folder / "unlucky", world.scenario, inbox_settings="settle_seconds = 3600")

    with full_disk(100_000), pytest.raises(StorageFullError) as full:
        read_earlier(shop, world, 7)
    assert read_earlier(shop, world, 7) == {}
    down = replace(world, scenario=scenario_of(SCENARIO + DOWN, folder / "down"))
    while_down = [read_earlier(shop, down, days, NO_ROLE) for days in (2, 1)]

    shop.drop_files(world)
    shop.drop("orders", "most.csv", HEADER + GOOD_LINES + STRANGE + BAD_LINES)
    shop.drop("goods_receipts", "extra.csv", RECEIPTS)
    shop.drop("returns", "broken.csv", b"channel,return_ref,order_ref\nbazaar,\xff\xfe\x00,G1\n")
    growing = shop.drop("orders", "growing.csv", HEADER + GROWING, is_growing=True)
    variable = shop.secret_variable("amz_fr")
    shop.environment[variable] = "zz-not-the-secret"
    clock = ServerClock(world.scenario.clock)
    with served(stormy, clock=clock, missing_roles=NO_ROLE) as running:
        forgetful = forget(running, clock)
        shop.configure(running.base_urls)
        failures = shop.night().failures
    bad_night = {name: shop.rows(sql) for name, sql in WATCHED.items()}
    differences = [t for t in FACTS if shop.table(t, UNTOUCHED) != calm.table(t, UNTOUCHED)]
    errors = next(shop.places.data.glob("rejected/most*.errors.csv")).read_text("utf-8-sig")
    was_left = growing.exists()

    finish(growing)
    shop.drop("orders", "mended.csv", HEADER + MENDED)
    shop.environment[variable] = "sandbox-amz_fr"
    with served(world) as running:
        shop.configure(running.base_urls)
        with shop.opened() as night:
            steps.prepare(night)
            steps.extract(night)
            steps.load(night, "load")
            steps.record(night)
            steps.transform(night)
            with full_disk(300_000), pytest.raises(StorageFullError) as full_at_publication:
                steps.publish_night(night)
            kept = shop.rows("from meta.current")[0]["build_id"]
            steps.publish_night(night)
    return Story(
        calm,
        shop,
        str(full.value),
        forgetful,
        while_down,
        failures,
        bad_night,
        differences,
        errors,
        was_left,
        (bad_night["build"][0]["build_id"], kept),
        str(full_at_publication.value),
        night.report.failures,
    )


def streams_of(story: Story, account: str) -> dict[str, Row]:
    return {r["stream"]: r for r in story.bad_night["freshness"] if r["account"] == account}


def test_mended_nights_equal_a_calm_one(story: Story) -> None:
    """Nothing is lost: after the causes are mended all marts are those of one calm night."""
    assert story.last_failures == {}
    assert compare_marts(story.calm.places.publication, story.unlucky.places.publication) == []


def test_what_misfortune_does_not_touch_is_equal(story: Story) -> None:
    """Throttling, cut answers and ended tokens change no number; nor do others' bad rows."""
    assert story.differences == []
    assert len(story.calm.table("marts.fct_order_line", UNTOUCHED)) > 50


def test_case_3_tokens_end_in_the_middle(story: Story) -> None:
    """One refresh, and on: more logins than accounts, no failure of the accounts that may."""
    assert any("expired" in text for text in story.forgetful.texts)
    assert story.forgetful.logins > 2
    failed = {account for connector, account, _ in story.failures if connector == "amazon"}
    assert failed == {"amz_fr", "amz_gb"}


def test_wrong_secret_leaves_the_account_at_its_last_good_night(story: Story) -> None:
    """A stream that was not due asks nobody, so it cannot fail."""
    streams = streams_of(story, "amz_fr")
    asked = [row for row in streams.values() if row["freshness_state"] != "fresh"]
    assert {row["freshness_state"] for row in asked} == {"failing"}
    assert len(asked) > len(streams) / 2
    assert sum(row["rows_last_night"] for row in streams.values()) == 0
    week_ago = story.calm.scenario.clock.replace(tzinfo=None) - timedelta(days=7)
    for row in asked:
        assert row["last_success_at"] == week_ago
        assert row["data_until"] <= week_ago
        assert "amz_fr" in row["last_error"]
        assert "secrets." in row["last_error"]
        assert "zz-not-the-secret" not in row["last_error"]
    assert {row["freshness_state"] for row in streams_of(story, "amz_de").values()} == {"fresh"}


def test_a_source_down_for_three_nights_is_named_with_the_time_since_when(story: Story) -> None:
    """All others are current; what the source had to tell meanwhile is there once it answers."""
    for failures in (*story.while_down, story.failures):
        assert {account for _connector, account, _stream in failures} == {"amz_fr", "amz_gb"}
    now = story.calm.scenario.clock.replace(tzinfo=None)
    others = [row for name in ("amz_de", "souq") for row in streams_of(story, name).values()]
    assert {row["freshness_state"] for row in others} == {"fresh"}
    assert max(row["last_success_at"] for row in others) == now
    behind = [r for r in streams_of(story, "amz_fr").values() if r["freshness_state"] == "failing"]
    since = min(row["data_until"] for row in behind)
    assert since <= now - timedelta(days=7)
    (alert,) = (r for r in story.bad_night["alerts"] if r["entity_key"] == "amazon|amz_fr|all")
    assert f"{since:%Y-%m-%d %H:%M} UTC" in alert["message_en"]
    assert "amz_fr" in alert["message_en"]
    after = story.unlucky.rows(
        "select distinct freshness_state from meta.freshness where account = 'amz_fr'"
    )
    assert after == [{"freshness_state": "fresh"}]
    assert story.unlucky.table("marts.fct_order_line", "account = 'amz_fr'") == story.calm.table(
        "marts.fct_order_line", "account = 'amz_fr'"
    )


def test_missing_right_stops_its_streams_only(story: Story) -> None:
    streams = streams_of(story, "amz_gb")
    failing = {name for name, row in streams.items() if row["freshness_state"] == "failing"}
    assert failing == {
        "fba_returns",
        "fba_replacements",
        "fba_reimbursements",
        "fulfilled_shipments",
        "inbound_plans",
        "inventory_ledger",
        "removal_orders",
        "removal_shipments",
    }
    assert {row["freshness_state"] for row in streams.values()} == {"failing", "fresh"}
    for name in failing:
        assert "role" in streams[name]["last_error"]
        assert "check-config" in streams[name]["last_error"]


def test_unknown_reason_is_kept_shown_and_harms_no_other(story: Story) -> None:
    (row,) = [r for r in story.bad_night["unmapped"] if r["field"] == "reason"]
    assert (row["connector"], row["raw_code"], row["rows"]) == ("amazon", NEW_REASON, 1)
    assert row["mapped_to"] == "unknown.unmapped"
    lines = story.unlucky.rows(
        "select account, count(*) as n from marts.fct_return_line"
        " where reason_claimed = 'unknown.unmapped' group by account"
    )
    assert [tuple(line.values()) for line in lines] == [("amz_de", 1)]


def test_unknown_field_is_recorded_by_name(story: Story) -> None:
    found = [r for r in story.bad_night["drift"] if r["stream"] == "fba_returns"]
    assert [(r["field"].replace("_", "-"), r["drift_kind"]) for r in found] == [
        ("zz-new-column", "added")
    ]


def test_the_bad_night_alarms_about_each_and_the_mended_one_ends_it(story: Story) -> None:
    found = {(row["kind"], row["entity_key"]): row for row in story.bad_night["alerts"]}
    assert found.keys() >= {
        ("freshness", "amazon|amz_fr|all"),
        ("freshness", "amazon|amz_gb|fba_returns"),
        ("freshness", "amazon|amz_gb|fulfilled_shipments"),
        ("unmapped", f"amazon|reason|{NEW_REASON}"),
        ("schema_drift", "amazon|all|fba_returns"),
        ("missing_rate", "files|bazaar|all"),
    }
    assert any(kind == "quarantine" for kind, _key in found)
    assert not any(key.startswith("amazon|amz_de|") for kind, key in found if kind == "freshness")
    for row in found.values():
        assert row["build_id"] == story.bad_night["build"][0]["build_id"]
        assert row["message_en"] != row["message_zh"]
    assert "secrets." in found["freshness", "amazon|amz_fr|all"]["message_en"]
    after = story.unlucky.rows("select distinct state from signals.alert where kind = 'freshness'")
    assert after == [{"state": "resolved"}]


def test_bad_rows_are_refused_and_the_rest_is_loaded(story: Story) -> None:
    refs = {row["order_id"] for row in story.bad_night["bazaar"]}
    assert refs == {f"G{number}" for number in range(80)} | {"S1", "S2"}
    assert "ordered_at is ambiguous: write dates as 2026-11-22" in story.errors_file
    assert story.errors_file.count("\n") >= 4  # heading, the date, both of the differing rows
    rows = {
        row["quarantine_reason"]: row
        for row in story.bad_night["quarantine"]
        if row["stream"] == "orders" and row["connector"] == "files"
    }
    assert sum(row["rows"] for row in rows.values()) == 3
    assert all(row["what_to_do"] for row in rows.values())


def test_malformed_file_is_refused_whole(story: Story) -> None:
    rejected = story.unlucky.places.data / "rejected"
    assert (rejected / "broken.csv").exists()
    text = (rejected / "broken.csv.errors.csv").read_text("utf-8-sig")
    assert "not UTF-8: save it as CSV UTF-8" in text


def test_growing_file_is_left_for_the_next_night(story: Story) -> None:
    assert story.was_left
    assert "W1" not in {row["order_id"] for row in story.bad_night["bazaar"]}
    later = story.unlucky.rows("from marts.fct_order_line where order_id = 'W1'")
    assert len(later) == 1


def test_unknown_sku_is_a_product_of_that_name(story: Story) -> None:
    (row,) = [r for r in story.bad_night["bazaar"] if r["order_id"] == "S1"]
    assert row["sku"] == "NOT-LISTED"
    assert len(story.unlucky.rows("from marts.dim_sku where sku = 'NOT-LISTED'")) == 1


def test_unknown_lot_is_loaded_and_shown(story: Story) -> None:
    (lot,) = story.bad_night["lots"]
    assert (lot["quantity_received"], lot["quantity_produced"]) == (50, None)
    assert (lot["supplier_id"], lot["unit_cost_amount"]) == ("unknown", None)


def test_missing_rate_gives_no_amount_and_is_counted(story: Story) -> None:
    (row,) = [r for r in story.bad_night["bazaar"] if r["order_id"] == "S2"]
    assert (row["currency"], row["net_reporting"]) == ("KWD", None)
    assert row["net_amount"] == 5
    counted = [r for r in story.bad_night["quality"] if r["account"] == "bazaar"]
    assert sum(r["missing_rates"] or 0 for r in counted) == 1


def test_full_disk_says_what_to_do_and_yesterday_stays(story: Story) -> None:
    for message in (story.full_message, story.publish_message):
        assert "full" in message
        assert "make room and start the night again" in message
    before, kept = story.kept_build
    assert before == kept


def test_full_disk_outside_the_warehouse_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_room() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("AFTERSALES_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(cli, "app", no_room)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "make room and start the night again" in capsys.readouterr().err


def test_second_night_while_one_runs_is_refused(story: Story) -> None:
    with exclusive(story.calm.places), pytest.raises(NightRunningError) as refused:
        story.calm.night()
    assert "already running" in str(refused.value)
    assert "AFTERSALES_DATA_DIR" in str(refused.value)
