"""Values written into SQL are what was meant, whatever they hold."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import pytest

from assets.warehouse import filled, written


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -7,
        "it's $as_of; -- 'all'\n\\",
        "",
        "a\0b'\0",
        0.1,
        float("inf"),
        -1e300,
        datetime.fromisoformat("2024-02-29T23:59:59.000001"),
        date(2024, 2, 29),
    ],
)
def test_a_written_value_is_read_as_it_was(value: object) -> None:
    assert duckdb.sql(f"select {written(value)}").fetchall() == [(value,)]


def test_names_are_filled_once_and_as_a_whole() -> None:
    statement = filled("select $a, $as_of, '$b'", {"a": "$as_of", "as_of": 1})
    assert duckdb.sql(statement).fetchall() == [("$as_of", 1, "$b")]


def test_a_value_without_a_form_in_sql_is_refused_by_its_type() -> None:
    with pytest.raises(TypeError, match="bytes"):
        written(b"it would be text")
