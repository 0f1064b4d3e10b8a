"""Alerts from marts to messages: small warehouses made by hand, night after night."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from typer.testing import CliRunner

from assets.alerts import book
from assets.alerts.delivery import Channel, NotDeliveredError
from assets.alerts.evaluation import evaluate, replay, tell
from assets.alerts.outbox import Outbox
from assets.alerts.rules import Rule, load_rules
from assets.alerts.states import Alert
from assets.control import ensure_control_tables, insert_rows
from assets.warehouse import Warehouse, transaction
from pipelines.alert_commands import alerts_app
from sources._core.clock import ManualClock

AS_OF = datetime(2026, 11, 10, tzinfo=UTC)
OPS = Channel("ops", "ALERT_URL", "json://nowhere")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Path:
    """Every published table with the columns of its yml, dimensions, and the rows of the seeds."""
    path = tmp_path_factory.mktemp("alerts") / "warehouse.duckdb"
    dbt = project_root / "dbt_project"
    dimensions = {
        "sku": [{"sku": f"S{i}", "product_id": f"P{i}", "category": "toys"} for i in range(1, 9)],
        "product": [{"product_id": f"P{i}"} for i in range(1, 9)],
        "account": [{"account": name} for name in ("amz_eu", "all")],
        "marketplace": [{"marketplace": name} for name in ("amazon_de", "amazon_fr", "all")],
        "country": [{"country": "all"}],
    }
    with Warehouse(path).connect() as connection, transaction(connection):
        ensure_control_tables(connection)
        for schema in ("marts", "meta", "signals"):
            connection.execute(f"create schema {schema}")
            for yml in (dbt / "models" / schema).rglob("_*.yml"):
                for model in yaml.safe_load(yml.read_text("utf-8")).get("models", []):
                    name = model["name"].removeprefix(f"{schema}_")
                    columns = (f'"{c["name"]}" {c["data_type"]}' for c in model["columns"])
                    connection.execute(f"create table {schema}.{name} ({', '.join(columns)})")
        for seed, table in (("playbooks", "playbook"), ("evidence_queries", "query")):
            connection.execute(
                f"insert into meta.{table} by name"
                f" select * from read_csv('{dbt / 'seeds' / seed}.csv')"
            )
        for name, rows in dimensions.items():
            insert_rows(connection, f"marts.dim_{name}", rows)
    return path


@dataclass
class Shop:
    """A warehouse without dbt: a test fills its marts, then has nights."""

    folder: Path
    rules: Sequence[Rule] = field(default_factory=load_rules)
    sent: list[str] = field(default_factory=list)
    is_channel_up: bool = True
    pending: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.folder / "warehouse.duckdb")

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.folder / "outbox.sqlite")

    def insert(self, table: str, row: dict[str, Any]) -> None:
        """Written with the next reading: many commits are slow."""
        self.pending.append((table, row))

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Rows of the last statement."""
        found: list[tuple[Any, ...]] = []
        with self.warehouse.connect() as connection, transaction(connection):
            for table, row in self.pending:
                insert_rows(connection, table, [row])
            self.pending.clear()
            for sql in statements:
                found = connection.execute(sql).fetchall()
        return found

    def cohort(self, month: str, shipped: int, returned: int, sku: str = "S1", **more: Any) -> None:
        row = {
            "account": "amz_eu",
            "marketplace": "amazon_de",
            "country": "DE",
            "sku": sku,
            "cohort_month": f"{month}-01",
            "units_shipped": shipped,
            "units_returned": returned,
            "units_defective": 0,
            "net_sales": shipped * 10,
            "is_mature": month < "2026-09",
        }
        self.insert("marts.mart_return_base", row | more)

    def history(self, sku: str = "S1", rate: float = 0.06, **more: Any) -> None:
        for month in range(1, 8):
            self.cohort(f"2026-{month:02}", 100, round(100 * rate), sku, **more)

    def source(self, stream: str, state: str = "fresh", **more: Any) -> None:
        row = {
            "connector": "amazon",
            "account": "amz_eu",
            "stream": stream,
            "data_until": AS_OF,
            "freshness_state": state,
        }
        self.insert("meta.freshness", row | more)

    def night(self, day: int = 0, build_id: str | None = None) -> list[Alert]:
        as_of = AS_OF + timedelta(days=day)
        self.run()
        return evaluate(
            self.warehouse, self.outbox, self.rules, as_of, build_id or f"b{day}", "EUR"
        )

    def tell(self, day: int = 0) -> int:
        now = AS_OF + timedelta(days=day)
        path, clock = self.warehouse.path, ManualClock(now)
        return tell(path, self.outbox, self.rules, [OPS], "en", now, clock, self._send)

    def _send(self, _channel: Channel, title: str, body: str) -> None:
        if not self.is_channel_up:
            raise NotDeliveredError("down")
        self.sent.append(f"{title}\n{body}")

    def evidence(self) -> list[int]:
        """Rows that the query of each alert shows."""
        found = self.run(
            "select q.sql, a.entity_key from signals.alert as a"
            " join meta.query as q on a.evidence_query_id = q.query_id"
        )
        return [len(self.run(sql.replace("{key}", key))) for sql, key in found]


@pytest.fixture
def shop(tmp_path: Path, template: Path) -> Shop:
    shutil.copy(template, tmp_path)
    return Shop(tmp_path)


def kinds(alerts: Sequence[Alert]) -> list[tuple[str, str, str]]:
    return [(a.measure.kind, a.measure.entity_key, a.state) for a in alerts]


def test_a_product_that_comes_back_more_is_one_alert_with_money_and_evidence(shop: Shop) -> None:
    shop.history()
    shop.cohort("2026-10", 100, 30)
    (alert,) = shop.night()
    assert kinds([alert]) == [("return_rate", "S1", "open")]
    (row,) = shop.run(
        "select k, n, rate, round(baseline, 2), money_at_stake, sku, product_id, metric_id,"
        " owner_role, message_zh from signals.alert"
    )
    assert row[:5] == (30, 100, 0.3, 0.06, 240)
    assert row[5:9] == ("S1", "P1", "R01", "listing")
    assert "30" in row[9]
    shop.insert("marts.mart_return_rate_by_sku", {"sku": "S1", "account": "amz_eu"})
    assert shop.evidence() == [1]


def test_harmless_seasons_do_not_alarm(shop: Shop) -> None:
    """Three times the orders at the usual rate, and more of them where more always comes back."""
    for number in range(1, 9):
        shop.history(f"S{number}", 0.05)
        shop.history(f"S{number}", 0.15, marketplace="amazon_fr")
        shop.cohort("2026-09", 300, 18, f"S{number}")
        shop.cohort("2026-10", 40, 2, f"S{number}")
        shop.cohort("2026-10", 400, 62, f"S{number}", marketplace="amazon_fr")
    assert shop.night() == []


def test_young_cohorts_are_never_judged_too_high_and_a_new_product_by_its_category(
    shop: Shop,
) -> None:
    shop.history("S2")
    shop.cohort("2026-10", 100, 12, "S1")  # new: twice its category is not enough
    shop.cohort("2026-11", 500, 3, "S2")
    assert shop.night() == []
    shop.cohort("2026-09", 100, 45, "S3", units_defective=30)
    found = {kind for kind, key, _state in kinds(shop.night(1)) if key == "S3"}
    assert found == {"return_rate", "defect_rate"}


def test_defects_and_feedback(shop: Shop) -> None:
    shop.history(units_defective=1)
    shop.cohort("2026-10", 100, 6, units_defective=12)
    for number in range(80):
        is_old = number < 60
        shop.insert(
            "marts.fct_feedback",
            {
                "feedback_key": f"F{number}",
                "feedback_kind": "seller_feedback",
                "account": "amz_eu",
                "marketplace": "amazon_de",
                "sku": "none",
                "product_id": "none",
                "is_counted": True,
                "is_negative": number % 30 == 0 if is_old else number % 2 == 0,
                "created_date": date(2026, 8, 1) if is_old else date(2026, 11, 1),
            },
        )
    assert kinds(shop.night()) == [
        ("defect_rate", "S1", "open"),
        ("negative_feedback", "amz_eu|amazon_de", "open"),
    ]
    assert (
        "10 of 20 ratings were negative"
        in shop.run("select message_en from signals.alert where kind = 'negative_feedback'")[0][0]
    )


def test_an_account_that_is_down_is_named_once_with_cause_and_since_when(shop: Shop) -> None:
    error = "login refused (invalid_grant)"
    down = {"last_error": error, "data_until": AS_OF - timedelta(days=1)}
    shop.source("orders", "failing", **down)
    shop.source("returns", "failing", **down)
    assert kinds(shop.night()) == [("freshness", "amazon|amz_eu|all", "open")]
    shop.tell()
    assert error in shop.sent[0]
    assert "2026-11-09 00:00" in shop.sent[0]
    shop.night(1)
    shop.night(2)
    assert shop.run("select severity from signals.alert") == [("high",)]
    shop.run("update meta.freshness set freshness_state = 'fresh', last_error = null")
    assert kinds(shop.night(3)) == [("freshness", "amazon|amz_eu|all", "resolved")]


def test_a_stream_that_is_not_asked_every_night_does_not_hide_that_the_account_is_down(
    shop: Shop,
) -> None:
    for stream in ("orders", "returns", "settlements"):
        shop.source(stream, "failing")
    shop.source("weekly", rows_last_night=0)
    (alert,) = shop.night()
    assert kinds([alert]) == [("freshness", "amazon|amz_eu|all", "open")]
    assert (alert.measure.k, alert.measure.n) == (3, 4)


def test_one_stream_that_is_down_is_named_alone(shop: Shop) -> None:
    shop.source("orders")
    shop.source("returns", "stale", data_until=AS_OF - timedelta(days=3))
    assert kinds(shop.night()) == [("freshness", "amazon|amz_eu|returns", "open")]
    assert shop.evidence() == [1]


def test_what_is_odd_about_data_is_said(shop: Shop) -> None:
    shop.insert(
        "meta.unmapped_code",
        {"connector": "amazon", "field": "reason", "raw_code": "N|E'W", "rows": 3},
    )
    shop.insert(
        "meta.schema_drift",
        {
            "connector": "amazon",
            "stream": "returns",
            "field": "x",
            "drift_kind": "missing",
            "first_seen_at": AS_OF,
            "last_seen_at": AS_OF,
        },
    )
    shop.insert(
        "meta.quarantine",
        {
            "connector": "amazon",
            "account": "amz_eu",
            "stream": "orders",
            "quality_date": AS_OF.date(),
            "quarantine_reason": "bad_date",
            "rows": 7,
            "what_to_do": "Write dates as year-month-day.",
        },
    )
    shop.insert(
        "marts.fct_order_line",
        {
            "connector": "amazon",
            "account": "amz_eu",
            "currency": "KWD",
            "net_amount": 5,
            "ordered_date": "2026-11-01",
        },
    )
    found = shop.night()
    assert {a.measure.kind: (a.measure.entity_key, a.severity) for a in found} == {
        "unmapped": ("amazon|reason|N|E'W", "warning"),
        "schema_drift": ("amazon|all|returns", "high"),
        "quarantine": ("amazon|amz_eu|orders", "warning"),
        "missing_rate": ("amazon|amz_eu|all", "warning"),
    }
    texts = " ".join(row[0] for row in shop.run("select message_en from signals.alert"))
    for part in ("N|E'W", "x (missing)", "Write dates as year-month-day", "KWD"):
        assert part in texts


def test_a_repeated_build_decides_the_same_and_the_next_goes_on(shop: Shop) -> None:
    shop.source("orders", "failing")
    first = shop.night(0, "b0")
    shop.source("returns", "failing")
    assert shop.night(1, "b1") == shop.night(1, "b1")
    opened = {alert.measure.entity_key: alert.opened_at for alert in shop.night(2)}
    assert opened["amazon|amz_eu|orders"] == first[0].opened_at
    assert shop.run("select count(*) from load.alert_state") == [(3,)]


def test_a_channel_down_for_a_night_and_deliveries_in_the_next_publication(shop: Shop) -> None:
    shop.source("orders", "failing")
    shop.night()
    shop.is_channel_up = False
    assert shop.tell() == 0
    shop.is_channel_up = True
    shop.night(1)
    assert shop.tell(1) == 1
    assert shop.tell(1) == 0
    assert len(shop.sent) == 1
    shop.night(2)
    states = shop.run("select attempt, delivery_state from signals.alert_delivery order by 1")
    assert states == [(1, "failed"), (2, "failed"), (3, "failed"), (4, "sent")]


def test_acknowledged_is_quiet_and_its_end_is_told(shop: Shop) -> None:
    shop.source("orders", "failing")
    (alert,) = shop.night()
    shop.tell()
    shop.outbox.acknowledge(alert.alert_id, (AS_OF + timedelta(hours=8)).replace(tzinfo=None))
    shop.run("update meta.freshness set data_until = '2026-11-01'")
    assert kinds(shop.night(1)) == [("freshness", "amazon|amz_eu|orders", "acknowledged")]
    assert shop.tell(1) == 0
    shop.run("delete from meta.freshness")
    shop.night(2)
    assert shop.tell(2) == 1
    assert "[resolved]" in shop.sent[-1]


def test_failed_nights_are_one_alert_that_the_next_good_night_ends(shop: Shop) -> None:
    shop.night()
    for day in (1, 2):
        at = (AS_OF + timedelta(days=day)).replace(tzinfo=None)
        shop.outbox.night_failed(f"n{day}", at, f"cause {day}")
        shop.tell(day)
    assert len(shop.sent) == 1
    assert "cause 1" in shop.sent[0]
    (alert,) = shop.night(3)
    assert kinds([alert]) == [("build", "all|all|all", "resolved")]
    assert alert.alert_id in shop.sent[0]
    shop.outbox.night_succeeded()
    assert shop.tell(3) == 1
    assert "cause 2" in shop.sent[1]
    assert kinds(shop.night(4)) == [("build", "all|all|all", "resolved")]
    assert shop.tell(4) == 0


def test_a_rule_can_be_tried_on_past_nights(shop: Shop, tmp_path: Path) -> None:
    shop.history()
    shop.cohort("2026-10", 100, 14)
    assert [shop.night(day) for day in range(3)] == [[], [], []]
    path = tmp_path / "rules.yml"
    path.write_text(
        "rules: [{name: sku_return_rate, judge: {confidence: 0.6, min_ratio: 1.2}}]", "utf-8"
    )
    with shop.warehouse.connect() as connection:
        past = book.past_measures(connection, 60)
    assert replay(past, shop.rules) == []
    ((at, alert),) = replay(past, load_rules(path))
    assert at == AS_OF.replace(tzinfo=None)
    assert (alert.rule, alert.measure.k) == ("sku_return_rate", 14)


def test_every_evidence_query_of_a_rule_runs(shop: Shop, project_root: Path) -> None:
    with (project_root / "dbt_project/seeds/evidence_queries.csv").open(encoding="utf-8") as file:
        queries = {row["query_id"]: row["sql"] for row in csv.DictReader(file)}
    with duckdb.connect(str(shop.warehouse.path)) as connection:
        for rule in shop.rules:
            connection.execute(queries[rule.query].replace("{key}", "none")).fetchall()


def test_commands_list_acknowledge_and_replay(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALES_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    shop.source("orders", "failing", last_error="login refused")
    shop.insert("meta.current", {"is_sandbox": True, "built_at": AS_OF})
    (alert,) = shop.night()
    (tmp_path / "published").mkdir()
    shutil.copy(shop.warehouse.path, tmp_path / "published" / "aftersales.duckdb")

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(alerts_app, list(arguments))
        assert result.exit_code == 0, result.output
        return result.output

    assert "login refused" in run("list")
    assert "acknowledged" in run("ack", alert.alert_id.lower())
    (row,) = json.loads(run("list", "--json"))
    assert (row["alert_id"], row["state"]) == (alert.alert_id, "acknowledged")
    assert kinds(shop.night(1)) == [("freshness", "amazon|amz_eu|orders", "acknowledged")]
    events = json.loads(run("replay", "--rule", "source_behind", "--json"))
    assert [(e["night"], e["event"]) for e in events] == [("2026-11-10", "opened")]
    assert CliRunner().invoke(alerts_app, ["ack", "A-NOTTHERE"]).exit_code != 0
    assert CliRunner().invoke(alerts_app, ["replay", "--rule", "no_such"]).exit_code != 0
