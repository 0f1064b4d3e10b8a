"""Checking frames with Great Expectations, and its Data Docs.

Belongs here: the only import of Great Expectations. Does not belong here: which frames there are.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.audit.suites import Expectation, Suite

_SITE = "local"


class BrokenExpectationError(RuntimeError):
    """A suite names an expectation that there is not."""


@dataclass(frozen=True)
class Verdict:
    """What came of one suite on one frame."""

    name: str
    rows: int
    expectations: int
    failed: tuple[str, ...] = ()
    critical: tuple[str, ...] = ()

    @property
    def share_met(self) -> float:
        return 1 - len(self.failed) / self.expectations


@functools.cache
def _library() -> Any:
    import great_expectations

    return great_expectations


class Validation:
    """The checks of one night: each frame once, then one set of pages for all."""

    def __init__(self) -> None:
        self._context: Any = None
        self.verdicts: list[Verdict] = []

    def check(self, name: str, suite: Suite, frame: Any) -> Verdict:
        """`frame` is a pandas data frame with the columns that the suite names."""
        library, context = _library(), self._opened()
        number = len(self.verdicts)
        asset = context.data_sources.get("frames").add_dataframe_asset(f"{name} {number}")
        batch = asset.add_batch_definition_whole_dataframe("all rows")
        declared = library.ExpectationSuite(name=f"{name} {number}")
        for expectation in suite.expectations:
            declared.add_expectation(_expectation(library, expectation))
        definition = library.ValidationDefinition(
            name=f"{name} {number}", data=batch, suite=context.suites.add(declared)
        )
        result = context.validation_definitions.add(definition).run(
            batch_parameters={"dataframe": frame}
        )
        verdict = _verdict(name, len(frame), suite.expectations, result)
        self.verdicts.append(verdict)
        return verdict

    def _opened(self) -> Any:
        if self._context is None:
            self._context = _library().get_context(mode="ephemeral", project_config=_config())
            self._context.variables.progress_bars = {"globally": False}
            self._context.data_sources.add_pandas("frames")
        return self._context

    def write_docs(self, folder: Path) -> None:
        """Pages of tonight in place of those of the last audited night."""
        if self._context is None:
            return
        shutil.rmtree(folder, ignore_errors=True)
        site = {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(folder),
            },
        }
        is_known = _SITE in self._context.get_site_names()
        place = (
            self._context.update_data_docs_site if is_known else self._context.add_data_docs_site
        )
        place(site_name=_SITE, site_config=site)
        self._context.build_data_docs(site_names=[_SITE])


def _config() -> Any:
    """All in memory, nothing reported to anybody, no folder made for pages that nobody reads."""
    from great_expectations.data_context.types import base

    defaults = base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    return base.DataContextConfig(store_backend_defaults=defaults, analytics_enabled=False)


def _expectation(library: Any, declared: Expectation) -> Any:
    name = "".join(part.capitalize() for part in declared.expect.split("_"))
    kind = getattr(library.expectations, name, None)
    if kind is None:
        raise BrokenExpectationError(f"Great Expectations has no {declared.expect}")
    return kind(severity=declared.severity, **declared.parameters)


def _verdict(name: str, rows: int, declared: Sequence[Expectation], result: Any) -> Verdict:
    """One that could not be checked has failed, but holds nothing back."""
    failed, critical = [], []
    for entry in result.results:
        if entry.success:
            continue
        config = entry.expectation_config
        text = f"{config.type} of {config.kwargs.get('column', name)}"
        has_raised = _has_raised(entry.exception_info or {})
        failed.append(f"{text} could not be checked" if has_raised else text)
        if config.severity == "critical" and not has_raised:
            critical.append(text)
    return Verdict(name, rows, len(declared), tuple(sorted(failed)), tuple(sorted(critical)))


def _has_raised(info: Mapping[str, Any]) -> bool:
    """One entry, or one for each metric."""
    entries = [info] if "raised_exception" in info else list(info.values())
    return any(bool(entry.get("raised_exception")) for entry in entries)
