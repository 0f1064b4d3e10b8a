"""What the program says and returns when something is wrong, and its replaying commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from assets.warehouse import StorageFullError, is_storage_full
from pipelines import cli, night, terminal
from pipelines.night import exclusive
from pipelines.resources import places

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The program in an empty installation: exit code, output, messages."""
    monkeypatch.setenv("AFTERSALES_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("AFTERSALES_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AFTERSALES_CONFIG", str(tmp_path / "aftersales.toml"))
    monkeypatch.delenv("AFTERSALES_CUSTOMER_KEY", raising=False)

    def aftersales(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["aftersales", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), captured.out, captured.err

    return aftersales


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("nightly",),
        ("backfill",),
        ("rebuild",),
        ("status",),
        ("check-config",),
        ("serve",),
        ("export",),
        ("import",),
        ("inbox-templates",),
        ("queue",),
        ("alerts",),
        ("alerts", "list"),
        ("alerts", "ack"),
        ("alerts", "replay"),
        ("sandbox", "serve"),
        ("sandbox", "truth"),
    ],
)
def test_each_command_explains_itself(run: Run, command: tuple[str, ...]) -> None:
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert "Usage" in out


def test_wrong_settings_end_the_night_before_it_begins(run: Run, tmp_path: Path) -> None:
    (tmp_path / "aftersales.toml").write_text('[settings]\nlanguag = "zh"\n')
    code, _, err = run("nightly")
    assert code == 1
    assert "settings.languag: unknown key, did you mean language?" in err
    assert not (tmp_path / "data" / "warehouse.duckdb").exists()


def test_a_missing_customer_key_is_asked_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "aftersales.toml").write_text(
        '[[accounts]]\nconnector = "files"\nname = "shop"\nstart = 2026-01-01\n'
    )
    code, _, err = run("check-config", "--offline")
    assert code == 1
    assert "AFTERSALES_CUSTOMER_KEY is not set" in err


def test_a_wrong_scenario_is_named(run: Run, tmp_path: Path) -> None:
    scenario = tmp_path / "world.toml"
    scenario.write_text("seeed = 7\n")
    code, _, err = run("nightly", "--sandbox", str(scenario))
    assert code == 1
    assert "seeed" in err


def test_a_second_night_is_told_what_to_do(run: Run) -> None:
    with exclusive(places()):
        code, _, err = run("nightly")
    assert code == 1
    assert "already running" in err
    assert "AFTERSALES_DATA_DIR" in err


def test_status_before_the_first_night(run: Run) -> None:
    code, _, err = run("status")
    assert code == 1
    assert "make nightly" in err


def test_valid_settings_without_accounts(run: Run) -> None:
    code, out, _ = run("check-config", "--offline", "--json")
    assert code == 0
    assert json.loads(out) == []


def test_a_full_disk_is_said_plainly(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise duckdb.IOException("Could not write file: No space left on device")

    monkeypatch.setattr(terminal, "open_night", full)
    code, _, err = run("nightly")
    assert code == 1
    assert "is full" in err
    assert "make room and start the night again" in " ".join(err.split())


def test_full_disks_are_recognised_through_their_causes() -> None:
    cause = OSError(28, "No space left on device")
    wrapped = RuntimeError("landing")
    wrapped.__cause__ = cause
    assert is_storage_full(wrapped)
    assert is_storage_full(duckdb.IOException("... No space left on device"))
    assert is_storage_full(StorageFullError("full"))
    assert not is_storage_full(OSError(2, "no such file"))
    first, second = RuntimeError("first"), RuntimeError("second")
    first.__cause__, second.__context__ = second, first
    assert not is_storage_full(first)
    assert night.MIN_FREE_BYTES > 0
