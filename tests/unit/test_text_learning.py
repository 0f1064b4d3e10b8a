"""Learning from stars and codes, phrases, quality figures and the erasure of texts."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import msgspec
import polars as pl
import pytest
import zstandard

from assets.control import ensure_control_tables
from assets.raw_tables import ensure_raw_tables
from assets.text import erasure, retraining
from assets.text.evaluation import figures
from assets.text.label_files import LabelFileError, label_file, learn_file
from assets.text.labels import Labeller, Text
from assets.text.new_texts import gather_texts, label_new_texts
from assets.text.phrases import phrases_of
from assets.text.quality import record_quality, sample_judged
from assets.text.retraining import (
    Taught,
    label_of_stars,
    learn_from_stars,
    sentiment_lesson,
    split,
)
from assets.text.training import measure
from sources._core.landing import Manifest
from sources.registry import connectors

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    ensure_control_tables(made)
    ensure_raw_tables(made, connectors().values())
    return made


def _comments(connection: duckdb.DuckDBPyConnection, *texts: str) -> None:
    for text in texts:
        connection.execute(
            "insert into raw_amazon.fba_returns (_account, customer_comments) values ('a', ?)",
            [text],
        )


def test_only_new_texts_are_labelled(connection: duckdb.DuckDBPyConnection) -> None:
    _comments(connection, " The lid was missing. ", "The lid was missing.", "Sehr gut", "")
    connection.execute(
        "insert into raw_files.reviews (_account, title, body) values ('f', 'Bad', 'Broke at once')"
    )
    labeller = Labeller()
    gather_texts(connection, connectors().values())
    assert label_new_texts(connection, labeller, NOW) == 5  # title, body, and both as one
    assert label_new_texts(connection, labeller, NOW + timedelta(days=1)) == 0
    rows = connection.execute(
        "select text_reason, reason_l2 from load.text_reason where text_hash = md5(?)",
        ["The lid was missing."],
    ).fetchall()
    assert rows == [("missing_parts", "product_defect.missing_parts")]
    connection.execute("delete from raw_amazon.fba_returns")
    gather_texts(connection, connectors().values())
    assert connection.execute(
        "select count(distinct text_hash) from load.text_phrase"
    ).fetchall() == [(2,)]  # a single word is no phrase; words of texts that are gone are gone
    joined = hashlib.md5(b"Bad Broke at once").hexdigest()  # noqa: S324
    assert connection.execute(
        "select sentiment, first_seen_at from load.text_label where text_hash = ?", [joined]
    ).fetchall() == [("negative", datetime(2026, 3, 1))]  # noqa: DTZ001


def test_quality_counts_what_people_have_checked(connection: duckdb.DuckDBPyConnection) -> None:
    _comments(connection, "It broke after two days")
    labeller = Labeller()
    gather_texts(connection, connectors().values())
    label_new_texts(connection, labeller, NOW)
    connection.execute(
        "insert into raw_files.label_review (text_hash, reasons, reviewer)"
        " values (md5('It broke after two days'), 'quality_defect;wrong_item', 'Mei')"
    )
    record_quality(connection, labeller, NOW)
    record_quality(connection, labeller, NOW)
    assert connection.execute(
        "select label, precision, recall from load.label_quality"
        " where sample = 'label_review' and language = 'all' order by label"
    ).fetchall() == [("quality_defect", 1.0, 1.0), ("wrong_item", None, 0.0)]


def test_the_sample_is_read_well() -> None:
    found = figures(sample_judged(Labeller()))
    assert found["language accuracy"] >= 0.97
    assert found["sentiment accuracy, clear-cut"] >= 0.75
    assert found["reasons micro-F1"] >= 0.60


def _own_words(count: int) -> list[Taught]:
    """A shop whose buyers use words of their own: zorbig is praise, quazzle is a fault."""
    words = {"positive": "zorbig", "negative": "quazzle"}
    return [
        Taught(f"this one is {words[label]} number {n}", label, f"S{n % 9}", NOW + timedelta(n))
        for n in range(count)
        for label in [("positive", "negative")[n % 2]]
    ]


def test_stars_teach_words_of_the_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = sentiment_lesson(_own_words(600))
    assert lesson is not None
    assert lesson.is_better
    (label,) = Labeller(lesson.model).label([Text("quazzle again, number 9999")])
    assert label.sentiment == "negative"
    assert sentiment_lesson(_own_words(100)) is None


def test_three_stars_teach_nothing_and_rules_do_not_weigh_on_a_shops_own_model() -> None:
    shop = _own_words(400)
    clear = [(t.text, t.label) for t in shop]
    mixed = [*clear, *((f"so so {n}", "neutral") for n in range(200))]
    model = learn_from_stars(*zip(*clear, strict=True))
    assert learn_from_stars(*zip(*mixed, strict=True)).version == model.version
    praise, blame = "zorbig, it broke after two days", "quazzle, arrived early and works"
    labels = list(Labeller(model).label([Text(praise), Text(blame)]))
    assert [label.sentiment for label in labels] == ["positive", "negative"]


def test_what_is_held_out_teaches_nothing() -> None:
    learning, held = split(_own_words(200))
    assert not {t.text for t in learning} & {t.text for t in held}
    assert not {t.sku for t in learning} & ({t.sku for t in held} - {t.sku for t in learning})
    assert max(t.at for t in learning if t.at) < max(t.at for t in held if t.at)
    assert 0.1 < len(held) / 200 < 0.6
    assert [label_of_stars(s) for s in (1, 2, 3, 4, 5)] == [
        "negative", "negative", "neutral", "positive", "positive",
    ]  # fmt: skip
    assert retraining.scores(["a", "b"], ["a", "a"], ["a", "b"])[0].precision == 0.5


def test_phrases_have_no_stop_words_at_their_ends_and_no_numbers() -> None:
    found = phrases_of("The battery cover broke, call me at [phone] or 12345", "en")
    assert "battery cover" in found
    assert not any(word in " ".join(found) for word in ("phone", "12345", "the battery"))
    assert "充电器" in phrases_of("充电器坏了", "zh")
    assert "縫い目" in phrases_of("縫い目がほつれていました", "ja")


def _landed(landing: Path, number: int, *texts: str) -> str:
    """A landing file of returns with these comments; its name."""
    folder = landing / "amazon" / "a" / "fba_returns"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"_key": str(n), "customer_comments": text} for n, text in enumerate(texts)]
    content = zstandard.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    name = f"20260301T000000-{number:04}.ndjson.zst"
    (folder / name).write_bytes(content)
    manifest = Manifest(
        connector="amazon", account="a", stream="fba_returns", file=name,
        sha256=hashlib.sha256(content).hexdigest(), seq=1, rows=2, as_of=NOW,
    )  # fmt: skip
    (folder / name.replace(".ndjson.zst", ".json")).write_bytes(msgspec.json.encode(manifest))
    return name


def test_erased_texts_are_gone_from_landing_files(tmp_path: Path) -> None:
    name = _landed(tmp_path, 1, "keep", "go ").replace(".ndjson.zst", ".json")
    path = tmp_path / "amazon" / "a" / "fba_returns" / name
    wanted = {hashlib.md5(b"go").hexdigest()}  # noqa: S324
    assert erasure.erase(tmp_path, connectors().values(), wanted) == 1
    landed = erasure.read_manifest(path)
    assert landed.is_intact()
    assert [json.loads(line)["customer_comments"] for line in landed.lines()] == ["keep", None]
    assert erasure.erase(tmp_path, connectors().values(), wanted) == 0


def test_an_erased_text_that_is_sent_again_does_not_land_again(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    names = [_landed(tmp_path, number, "keep", "go ") for number in (1, 2)]
    connection.execute(
        "insert into load.file (connector, account, stream, file_name)"
        " values ('amazon', 'a', 'fba_returns', ?)",
        [names[0]],
    )
    assert erasure.keep_out(tmp_path, connectors().values(), connection) == 0
    erasure.remember_erased(tmp_path, {hashlib.md5(b"go").hexdigest()})  # noqa: S324
    erasure.remember_erased(tmp_path, {hashlib.md5(b"else").hexdigest()})  # noqa: S324
    assert erasure.keep_out(tmp_path, connectors().values(), connection) == 1
    folder = tmp_path / "amazon" / "a" / "fba_returns"
    texts = [
        [json.loads(line)["customer_comments"] for line in erasure.read_manifest(path).lines()]
        for path in sorted(folder.glob("*.json"))
    ]
    assert texts == [
        ["keep", "go "],
        ["keep", None],
    ]  # the first is loaded: `erase` took care of it


def test_figures_of_public_data_say_what_they_count(tmp_path: Path) -> None:
    orders = [("a", "2018-02-09 10:00:00"), ("b", ""), ("c", "2018-01-30 09:00:00")]
    reviews = [("a", "1", "Chegou muito atrasado"), ("b", "1", "Ainda não recebi o produto"),
               ("c", "2", "Veio quebrado"), ("c", "5", "Ótimo, recomendo")]  # fmt: skip
    pl.DataFrame(
        [(key, day, "2018-02-01 00:00:00") for key, day in orders],
        schema=["order_id", "order_delivered_customer_date", "order_estimated_delivery_date"],
        orient="row",
    ).write_parquet(tmp_path / "orders.parquet")
    pl.DataFrame(
        [(*row, None) for row in reviews],
        schema=["order_id", "review_score", "review_comment_message", "review_comment_title"],
        schema_overrides={"review_comment_title": pl.String},
        orient="row",
    ).write_parquet(tmp_path / "order_reviews.parquet")
    found = measure.olist_reviews(tmp_path)
    assert found["is_late"].to_list() == [True, True, False, False]
    assert measure.late_shares(found) == (1.0, 0.0)
    assert measure.false_tags(found.filter(pl.col("stars") == 5)["text"].to_list()) == 0.0


def test_figures_of_other_reviews_are_of_the_last_seventh(tmp_path: Path) -> None:
    texts = [*(["Works great, very happy"] * 12), "Broke after two days", "Awful, do not buy"]
    stars = [1] * 12 + [2, 1]
    pl.DataFrame({"text": texts, "stars": stars}).write_parquet(tmp_path / "en.parquet")
    found = dict(measure.review_figures(tmp_path))
    assert found["en before: clear-cut, stars 1-2 and 4-5"] == 1.0
    assert found["en before: language"] == 1.0
    assert not [name for name in found if "after" in name]


def test_a_file_of_stars_teaches_a_model_for_files(tmp_path: Path) -> None:
    rows = [(t.text, 5 if t.label == "positive" else 1) for t in _own_words(400)]
    pl.DataFrame(rows, schema=["text", "stars"], orient="row").write_csv(tmp_path / "stars.csv")
    pl.DataFrame({"id": [1], "text": ["quazzle, number 777"]}).write_csv(tmp_path / "in.csv")
    assert learn_file(tmp_path / "stars.csv", tmp_path / "model") == 400
    label_file(tmp_path / "in.csv", tmp_path / "out.csv", tmp_path / "model")
    assert pl.read_csv(tmp_path / "out.csv")["sentiment"].to_list() == ["negative"]
    with pytest.raises(LabelFileError, match="cannot be read as a model"):
        label_file(tmp_path / "in.csv", tmp_path / "out.csv", tmp_path / "in.csv")
