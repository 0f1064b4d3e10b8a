"""Rules: what they may contain, where they are read from, and how one judges one figure.

Belongs here: the model of a rule and its verdict. Does not belong here: how a figure is counted
(`measures.py`), what an alert does over nights (`states.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import NormalDist
from typing import Annotated, Any, Literal

import pydantic
import yaml

from assets.alerts.measures import Measure

DEFAULT_RULES = Path(__file__).with_name("rules.yml")

Kind = Literal[
    "return_rate",
    "defect_rate",
    "negative_feedback",
    "freshness",
    "unmapped",
    "schema_drift",
    "missing_rate",
    "quarantine",
    "build",
]
SEVERITIES = ("info", "warning", "high", "critical")
Severity = Literal["info", "warning", "high", "critical"]
Verdict = Literal["fires", "holds", "clear"]


class RulesError(ValueError):
    """The rules file cannot be used; the message names file, rule, key and what to write."""


class _Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Interval(_Part):
    """A share judged by its counts: even the lower end of its interval lies above the baseline.

    Returns only add up as a cohort ages, so an immature cohort can be judged too low, never too
    high. An open alert holds while the share itself lies `min_ratio` above the baseline.
    """

    by: Literal["interval"]
    confidence: float = pydantic.Field(default=0.999, gt=0.5, lt=1)
    min_k: int = pydantic.Field(default=5, ge=1)
    min_n: int = pydantic.Field(default=50, ge=1)
    min_baseline_n: int = pydantic.Field(default=200, ge=1)
    min_ratio: float = pydantic.Field(default=1.5, ge=1)
    min_ratio_to_others: float = pydantic.Field(default=3.0, ge=1)
    min_difference: float = pydantic.Field(default=0.02, ge=0, lt=1)

    def verdict(self, measure: Measure) -> Verdict:
        k, n, baseline = measure.k or 0.0, measure.n or 0.0, measure.baseline
        if baseline is None or n < self.min_n or (measure.baseline_n or 0) < self.min_baseline_n:
            return "clear"
        is_own = measure.baseline_of == "itself"
        limit = baseline * (self.min_ratio if is_own else self.min_ratio_to_others)
        if k < self.min_k or k / n < max(limit, baseline + self.min_difference):
            return "clear"
        low, _high = wilson(k, n, self.confidence)
        return "fires" if low > limit else "holds"


class Significance(_Part):
    """A test of the signals, corrected for their number (false-discovery control)."""

    by: Literal["q_value"]
    open_at: float = pydantic.Field(default=0.05, gt=0, lt=1)
    hold_at: float = pydantic.Field(default=0.20, gt=0, lt=1)

    def verdict(self, measure: Measure) -> Verdict:
        if measure.q_value is None or measure.q_value > self.hold_at:
            return "clear"
        return "fires" if measure.q_value <= self.open_at else "holds"


class Level(_Part):
    """A number against a limit: rows held back, hours without data."""

    by: Literal["level"]
    open_at: float = 1
    hold_at: float | None = None
    severe_at: float | None = None

    def verdict(self, measure: Measure) -> Verdict:
        value = measure.value or 0.0
        if value >= self.open_at:
            return "fires"
        return "holds" if self.hold_at is not None and value >= self.hold_at else "clear"


class Rule(_Part):
    """One entry of the rules file."""

    name: Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    kind: Kind
    entity: Annotated[str, pydantic.Field(min_length=1)]
    severity: Severity
    severe: Severity = "high"
    quiet_days: float = pydantic.Field(default=0, ge=0)
    playbook: str
    query: str
    metric: str = "none"
    enabled: bool = True
    channels: tuple[str, ...] | None = None
    only: Mapping[str, tuple[str, ...]] = {}
    judge: Annotated[Interval | Level | Significance, pydantic.Field(discriminator="by")]

    @pydantic.field_validator("only")
    @classmethod
    def _columns(cls, only: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        unknown = only.keys() - {*Measure.PLACES, "entity_key"}
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))}: write one of {Measure.PLACES}")
        return only

    def takes(self, measure: Measure) -> bool:
        """Whether the figure is of the kind and of the entities that this rule is about."""
        return (
            self.enabled
            and (measure.kind, measure.entity_type) == (self.kind, self.entity)
            and all(getattr(measure, column) in wanted for column, wanted in self.only.items())
        )

    def severity_of(self, measure: Measure) -> Severity:
        limit = self.judge.severe_at if isinstance(self.judge, Level) else None
        is_severe = limit is not None and (measure.value or 0.0) >= limit
        return self.severe if is_severe else self.severity


def wilson(k: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson interval of the share k / n."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = k / n, 1 + z * z / n
    middle = (share + z * z / (2 * n)) / weight
    half = z * (max(share * (1 - share), 0) / n + z * z / (4 * n * n)) ** 0.5 / weight
    return max(0.0, middle - half), min(1.0, middle + half)


def load_rules(path: Path | None = None, channels: Iterable[str] | None = None) -> tuple[Rule, ...]:
    """The shipped rules; a file adds rules and changes keys of those of the same name.

    Where `channels` are given, a rule may name no other.
    """
    entries = {str(e["name"]): e for e in _entries(DEFAULT_RULES)}
    for entry in _entries(path) if path is not None else ():
        name = str(entry.get("name", ""))
        entries[name] = _merged(entries.get(name, {}), entry)
    source = path or DEFAULT_RULES
    rules = tuple(_rule(source, name, entry) for name, entry in entries.items())
    if channels is not None:
        _check_channels(source, rules, set(channels))
    return rules


def _check_channels(source: Path, rules: Iterable[Rule], known: set[str]) -> None:
    for rule in rules:
        missing = sorted(set(rule.channels or ()) - known)
        if missing:
            raise RulesError(
                f"{source.name}: rule {rule.name}: channel {', '.join(missing)} is not in "
                f"[alerts] channels of the settings, which has {', '.join(sorted(known)) or 'none'}"
            )


def _entries(path: Path) -> list[Mapping[str, Any]]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RulesError(f"{path}: not readable as YAML in UTF-8: {error}") from error
    entries = content.get("rules") if isinstance(content, Mapping) else None
    if not isinstance(entries, list) or not all(isinstance(e, Mapping) for e in entries):
        raise RulesError(f"{path}: write a list under the key rules")
    return entries


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of `over` win; those of `judge` one by one, unless it judges by something else."""
    merged = {**base, **over}
    old, new = base.get("judge"), over.get("judge")
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        is_same = new.get("by", old["by"]) == old["by"]
        merged["judge"] = {**old, **new} if is_same else dict(new)
    return merged


def _rule(source: Path, name: str, entry: Mapping[str, Any]) -> Rule:
    try:
        return Rule.model_validate(entry)
    except pydantic.ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        )
        raise RulesError(f"{source.name}: rule {name or 'without a name'}: {faults}") from error
