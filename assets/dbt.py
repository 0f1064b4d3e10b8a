"""The dbt project: one parse and one build a night, in this process.

Belongs here: calling dbt and judging what came of it. Does not belong here: what the models mean
(`dbt_project/`), which tables are published and how (`catalog.py`, `publish.py`).
dbt is imported inside functions: a night without new input never loads it.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any, TextIO

from assets.warehouse import Warehouse
from sources._core.durable import write_atomically

PROJECT = Path(__file__).resolve().parent.parent / "dbt_project"
# What this process has read, by project and fingerprint: a second build need not read it again.
_PARSED: dict[tuple[Path, str], Any] = {}
_SOURCE_FOLDERS = ("models", "macros", "seeds", "tests")
_EMPTY_TABLE = "{{ empty_table() }}"
# The promises of published tables, one test each; a night asks them all in one query instead
# (macros/broken_contracts.sql).
_ONE_BY_ONE = "test_name:keeps_contract"
_BAD = frozenset({"error", "fail", "runtime error"})


class TransformError(RuntimeError):
    """dbt could not even start, or the project cannot be parsed."""


@dataclass(frozen=True)
class NodeResult:
    """How one model or test ended."""

    unique_id: str
    name: str
    kind: str
    status: str
    rows: int | None = None
    message: str = ""

    @property
    def is_check(self) -> bool:
        return self.kind in ("test", "unit_test")


@dataclass(frozen=True)
class BuildResult:
    """What the one dbt call of a night did. Tests of severity error are the structural ones."""

    nodes: tuple[NodeResult, ...] = ()

    @property
    def blocking(self) -> tuple[NodeResult, ...]:
        return tuple(n for n in self.nodes if n.status in _BAD)

    @property
    def warnings(self) -> tuple[NodeResult, ...]:
        return tuple(n for n in self.nodes if n.status == "warn")

    @property
    def skipped(self) -> tuple[NodeResult, ...]:
        return tuple(n for n in self.nodes if n.status == "skipped")

    @property
    def checks_passed(self) -> int:
        return sum(n.is_check and n.status == "pass" for n in self.nodes)


@dataclass
class DbtProject:
    """The project, the warehouse it builds in, and the folder for its target and logs."""

    warehouse: Path
    work: Path
    project: Path = PROJECT
    memory_limit: str | None = None
    threads: int = 2
    _parsed: Any = field(default=None, repr=False)

    @property
    def log_path(self) -> Path:
        """What dbt said in its last call."""
        return self.work / "logs" / "dbt.log"

    @property
    def manifest_path(self) -> Path:
        return self.work / "target" / "manifest.json"

    def fingerprint(self) -> str:
        """Of every file of the project."""
        digest = hashlib.sha256()
        folders = [self.project / name for name in _SOURCE_FOLDERS]
        inner = (path for folder in folders for path in folder.rglob("*"))
        for path in sorted([*self.project.glob("*.yml"), *inner]):
            if path.is_file() and path.suffix in (".sql", ".yml", ".py", ".csv"):
                digest.update(str(path.relative_to(self.project)).encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

    def ensure_manifest(self) -> Path:
        """The manifest of the project as it is now; read anew only where a file has changed."""
        mark = self.work / "target" / "fingerprint"
        known = mark.read_text("utf-8") if mark.exists() else ""
        if known != self.fingerprint() or not self.manifest_path.exists():
            with suppress(OSError):
                self.manifest_path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._shared(".json"), self.manifest_path)
                mark.write_text(self.fingerprint(), "utf-8")
                return self.manifest_path
            self._keep(self._parse_anew())
        return self.manifest_path

    def parse(self) -> None:
        """Read the project once; builds reuse what was read, whatever their data and variables."""
        place = (self.project, self.fingerprint())
        if place not in _PARSED:
            self._keep(self._read_shared() or self._parse_anew())
        self._parsed = _PARSED[place]

    def _keep(self, parsed: Any) -> None:
        _PARSED[self.project, self.fingerprint()] = parsed
        # Lives as long as the process: searching it for garbage costs a build a twentieth.
        gc.freeze()

    def _shared(self, suffix: str) -> Path:
        """What dbt read of exactly these files, beside them: every data folder may use it.

        The name of the warehouse file up to its first dot is part of what was read: it is the
        database of each table.
        """
        dbt_version = metadata.version("dbt-core")
        database = self.warehouse.name.partition(".")[0]
        name = f"{self.fingerprint()}-{database}-{dbt_version}{suffix}"
        return self.project / "target" / "parsed" / name

    def _read_shared(self) -> Any:
        try:
            content = self._shared(".msgpack").read_bytes()
        except OSError:
            return None
        from dbt.contracts.graph.manifest import Manifest
        from dbt.parser.manifest import extended_mashumuro_decoder

        parsed = Manifest.from_msgpack(content, decoder=extended_mashumuro_decoder)
        parsed.build_flat_graph()  # what macros see as `graph`
        return parsed

    def _parse_anew(self) -> Any:
        parsed = self._invoke(["parse"]).result
        target = self.work / "target"
        (target / "fingerprint").write_text(self.fingerprint(), "utf-8")
        made = {
            self._shared(".msgpack"): target / "partial_parse.msgpack",
            self._shared(".json"): self.manifest_path,
        }
        with suppress(OSError):  # an installation that cannot be written to parses every time
            folder = self._shared("").parent
            folder.mkdir(parents=True, exist_ok=True)
            for shared, path in made.items():
                write_atomically(shared, path.read_bytes())
            for path in set(folder.iterdir()) - set(made):
                path.unlink(missing_ok=True)
        return parsed

    def build(
        self,
        variables: Mapping[str, Any],
        *,
        full_refresh: bool = False,
        is_same_project: bool = False,
        progress: Callable[[str], None] = lambda _text: None,
    ) -> BuildResult:
        """Build everything and test the data; never raises for a model or test that failed.

        With `is_same_project`, what this warehouse holds was built to its end by these very files:
        views, seeds and tables that no source fills stay as they are.
        """
        self.parse()
        arguments = ["build", "--vars", json.dumps(dict(variables), default=str)]
        arguments.append("--no-write-json")  # who reads its files reads those of the parse
        arguments += ["--exclude-resource-type", "unit_test"]
        # cautious: a test is left out only where all it looks at is
        arguments += ["--indirect-selection", "cautious", "--exclude", _ONE_BY_ONE]
        if "connectors_in_use" in variables:
            arguments += self._idle(set(variables["connectors_in_use"]))
        if is_same_project:
            arguments += self._lasting()
        if full_refresh:
            arguments.append("--full-refresh")
        result = self._invoke(arguments, progress)
        return BuildResult(tuple(self._node_result(r) for r in result.result.results))

    def _node_result(self, result: Any) -> NodeResult:
        """How a node ended; of a test that failed also the first rows it found."""
        found = _node_result(result)
        if not (found.is_check and found.status in ("fail", "warn")):
            return found
        sql = result.node.compiled_code
        with Warehouse(self.warehouse).connect(read_only=True) as connection:
            rows = connection.execute(f"select * from ({sql}\n) as found limit 5").fetchall()
        told = "; ".join(" ".join(str(cell) for cell in row) for row in rows)
        return replace(found, message=f"{found.message}: {told}")

    def _lasting(self) -> list[str]:
        """Nodes whose content does not depend on the data of a night."""
        unfilled = sorted(
            node.name
            for node in self._parsed.nodes.values()
            if node.resource_type == "model" and _EMPTY_TABLE in node.raw_code
        )
        return ["resource_type:seed", "config.materialized:view", *unfilled]

    def _idle(self, in_use: Collection[str]) -> list[str]:
        """Staging models of the other connectors, but for those that are read all the same: by
        name, or because no connector in use gives their entity (macro in_use).
        """
        models = {k: n for k, n in self._parsed.nodes.items() if n.resource_type == "model"}
        staging = {k: n.fqn[2] for k, n in models.items() if n.fqn[1] == "staging"}
        given = {
            models[k].name.split("__")[-1]
            for k, c in staging.items()
            if c in in_use and models[k].name.startswith("stg_")
        }
        waiting = [
            parent
            for key, node in self._parsed.nodes.items()
            if key not in staging and node.resource_type != "seed"
            for parent in node.depends_on.nodes
            if parent in staging
            and (
                models[parent].name in node.raw_code
                or models[parent].name.split("__")[-1] not in given
            )
        ]
        read: set[str] = set()
        while waiting:
            key = waiting.pop()
            if key in staging and key not in read:
                read.add(key)
                waiting += models[key].depends_on.nodes
        return sorted(
            models[k].name for k, c in staging.items() if c not in in_use and k not in read
        )

    def test_formulas(self) -> BuildResult:
        """The models' unit tests: made-up rows in, expected rows out. They say nothing of tonight's
        data, so `make test` runs them and a night does not; the models must have been built once.
        """
        return self.check("test_type:unit")

    def check(self, selection: str) -> BuildResult:
        """Some tests on what the warehouse holds."""
        self.parse()
        result = self._invoke(["test", "--select", selection, "--no-write-json"])
        return BuildResult(tuple(self._node_result(r) for r in result.result.results))

    def _invoke(
        self, arguments: list[str], progress: Callable[[str], None] = lambda _text: None
    ) -> Any:
        from dbt.cli.main import dbtRunner

        fixed = {
            "--project-dir": self.project,
            "--profiles-dir": self.project,
            "--target-path": self.work / "target",
            "--log-level": "none",
            "--log-level-file": "none",
        }
        options = [str(part) for pair in fixed.items() for part in pair]
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self._environment(), self.log_path.open("w", 1, "utf-8") as log:
            runner = dbtRunner(
                manifest=self._parsed, callbacks=[_log_to(log), _progress_of(progress)]
            )
            try:
                result = runner.invoke([arguments[0], *options, *arguments[1:]])
            finally:
                _close_connections()
        if result.exception is not None or result.result is None:
            raise TransformError(
                f"dbt {arguments[0]} did not run: {result.exception}; see {self.log_path}"
            ) from result.exception
        return result

    @contextmanager
    def _environment(self) -> Iterator[None]:
        """What the profile expects; put back afterwards."""
        wanted = {
            "AFTERSALES_WAREHOUSE": str(self.warehouse),
            "AFTERSALES_THREADS": str(self.threads),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        if self.memory_limit:
            wanted["AFTERSALES_MEMORY_LIMIT"] = self.memory_limit
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _close_connections() -> None:
    """dbt-duckdb keeps the file open for the life of the process unless it is told."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


def _log_to(file: TextIO) -> Callable[[Any], None]:
    """Keeps what is worth reading; dbt's own file costs a sixth of a night, mostly for lines that
    it then leaves out.
    """

    def on_event(event: Any) -> None:
        if event.info.level in ("info", "warn", "error"):
            file.write(f"{event.info.level:5} {event.info.msg}\n")

    return on_event


def _progress_of(progress: Callable[[str], None]) -> Callable[[Any], None]:
    def on_event(event: Any) -> None:
        if event.info.name in ("LogModelResult", "LogTestResult", "LogSeedResult"):
            data = event.data
            total = getattr(data, "total", None) or getattr(data, "num_models", 0)
            progress(f"{data.index}/{total} {data.node_info.node_name}")

    return on_event


def _node_result(result: Any) -> NodeResult:
    rows = result.adapter_response.get("rows_affected") if result.adapter_response else None
    return NodeResult(
        unique_id=result.node.unique_id,
        name=result.node.name,
        kind=str(result.node.resource_type),
        status=str(result.status),
        rows=rows if isinstance(rows, int) and rows >= 0 else None,
        message=(result.message or "").strip(),
    )
