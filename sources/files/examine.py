"""One dropped file from cells to records ready to land, or refused as a whole.

Belongs here: the order of the steps, chunk by chunk in bounded memory. Does not belong here: each
step (readers, `columns.py`, `row_rules.py`, `repeated_keys.py`, `channels.py`) and the folder.
Nothing is given out before the whole file is known to be good enough: accepted rows, already
hashed and masked, wait in a temporary folder.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec
import polars as pl

from sources._core.errors import ConfigurationError
from sources._core.privacy import customer_key, keyed_hash, mask_text
from sources.files.cells import FLAGS, ROW, CellError, Chunk, FileRefusedError
from sources.files.channels import AmbiguousChannelError, Channel, KnownAccount, resolve_channel
from sources.files.columns import RAW, CellRule, ColumnReading, default_value, landed_values
from sources.files.declarations import CHANNEL_COLUMNS, EXTRAS_COLUMN, FLAGS_COLUMN, Dataset
from sources.files.header import EXTRA
from sources.files.refusals import Refusals
from sources.files.repeated_keys import KeyLedger
from sources.files.row_rules import (
    RowRule,
    overlapping_rows,
    repeated_within,
    row_flags,
    row_rules,
)

MAX_BAD_SHARE = 0.05


@dataclass(frozen=True)
class Terms:
    """What the rules depend on besides the declaration."""

    today: date
    accounts: Sequence[KnownAccount] = ()
    time_zone: str | None = None
    hash_key: str = ""
    max_bad_share: float = MAX_BAD_SHARE


@dataclass(frozen=True)
class Examined:
    """An accepted file: batches of records as JSON, and the counts that go with them."""

    rows_read: int
    rows_good: int
    duplicates: int
    refusals: Refusals
    spool: Sequence[Path]
    left_out: Collection[int]

    def batches(self) -> Iterator[Sequence[msgspec.Raw]]:
        """Records in the order of the file."""
        left_out = pl.Series(sorted(self.left_out), dtype=pl.Int64)
        for path in self.spool:
            rows = pl.read_parquet(path)
            kept = rows.filter(~pl.col(ROW).is_in(left_out.implode())).drop(ROW)
            lines = io.BytesIO()
            kept.write_ndjson(lines)
            yield [msgspec.Raw(line) for line in lines.getvalue().splitlines()]


class Examination:
    """Takes the chunks of one file; `finish` gives the verdict."""

    def __init__(self, dataset: Dataset, terms: Terms, refusals: Refusals, spool: Path) -> None:
        self._dataset = dataset
        self._terms = terms
        self._refusals = refusals
        self._folder = spool
        self._spool: list[Path] = []
        self._ledger = KeyLedger(dataset.key)
        self._good = 0
        self._scopes: list[pl.DataFrame] = []
        reading = ColumnReading(terms.today, terms.time_zone)
        self._plans = [reading.plan(column) for column in dataset.columns]
        self._cell_rules = [rule for plan in self._plans for rule in plan.rules]
        self._row_rules = row_rules(dataset)
        self._flags = [flag for plan in self._plans for flag in plan.flags] + row_flags(dataset)
        self._channels: dict[str, Channel | str] = {}

    def take(self, chunk: Chunk) -> None:
        """Read the cells of one chunk, keep the good rows, note the others."""
        self._refusals.add(chunk.errors, len({error.row for error in chunk.errors}))
        rows = self._typed(chunk.frame)
        rows = self._without_broken(rows)
        rows = self._with_flags_and_defaults(rows)
        if self._dataset.channel:
            rows = self._with_channel(rows)
        rows = self._kept_private(rows)
        landed = rows.select(
            ROW,
            *landed_values(self._dataset.columns),
            *(CHANNEL_COLUMNS if self._dataset.channel else ()),
            FLAGS_COLUMN,
            EXTRAS_COLUMN,
        )
        self._ledger.add(landed, [*self._names(), EXTRAS_COLUMN])
        self._note_scopes(rows)
        self._good += landed.height
        if landed.height:
            path = self._folder / f"{len(self._spool):06d}.parquet"
            landed.write_parquet(path, compression="zstd", compression_level=1)
            self._spool.append(path)

    def finish(self) -> Examined:
        """Raises FileRefusedError when too many rows are bad."""
        repeated = self._ledger.repeated()
        self._refuse_late(
            repeated.contradictions,
            "key_repeated",
            f"the key ({', '.join(self._dataset.key)}) occurs in another row with other values",
        )
        left_out = {*repeated.copies, *repeated.contradictions}
        left_out.update(self._overlaps(left_out))
        read = self._good + self._refusals.rows - len(left_out) + len(repeated.copies)
        if self._refusals.rows > self._terms.max_bad_share * read:
            raise FileRefusedError(
                "too_many_bad_rows",
                f"{self._refusals.rows} of {read} rows are bad, more than "
                f"{self._terms.max_bad_share:.0%}: nothing was loaded. Correct them and drop the "
                "file again",
                rows=read - self._refusals.rows,
            )
        return Examined(
            rows_read=read,
            rows_good=self._good - len(left_out),
            duplicates=len(repeated.copies),
            refusals=self._refusals,
            spool=self._flagged(left_out),
            left_out=left_out,
        )

    def _names(self) -> list[str]:
        return [column.name for column in self._dataset.columns]

    def _typed(self, frame: pl.DataFrame) -> pl.DataFrame:
        absent = [name for name in self._names() if name not in frame.columns]
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
        frame = frame.with_columns(plan.clean for plan in self._plans)
        return frame.with_columns(plan.typed for plan in self._plans)

    def _without_broken(self, rows: pl.DataFrame) -> pl.DataFrame:
        rules: list[CellRule | RowRule] = [*self._cell_rules, *self._row_rules]
        if not rows.height or not rules:
            return rows
        broken = rows.select(
            rule.broken.fill_null(value=False).alias(str(index)) for index, rule in enumerate(rules)
        )
        is_bad = broken.select(pl.any_horizontal(pl.all())).to_series()
        if not is_bad.any():
            return rows
        if self._refusals.has_room():
            errors: list[CellError] = []
            for rule, column in zip(rules, broken.iter_columns(), strict=True):
                errors += _errors_of(rule, rows.filter(column))
            self._refusals.add(errors, int(is_bad.sum()))
        else:
            first = broken.with_row_index("at").unpivot(index="at").filter(pl.col("value"))
            first = first.unique("at", keep="first", maintain_order=True)
            for name, count in first.group_by("variable").len().iter_rows():
                self._refusals.count_only(rules[int(name)].rule, count)
        return rows.filter(~is_bad)

    def _with_flags_and_defaults(self, rows: pl.DataFrame) -> pl.DataFrame:
        words = [
            pl.when(expression.fill_null(value=False)).then(pl.lit(word))
            for word, expression in self._flags
        ]
        told = pl.when(pl.col(FLAGS) != "").then(pl.col(FLAGS).str.replace_all(" ", ";"))
        flags = pl.concat_list([told, *words]).list.drop_nulls().list.unique(maintain_order=True)
        joined = flags.list.join(";")
        rows = rows.with_columns(pl.when(joined != "").then(joined).alias(FLAGS_COLUMN))
        rows = rows.with_columns(_extras(rows))
        for column in self._dataset.columns:
            default = default_value(column)
            if default is not None:
                rows = rows.with_columns(pl.coalesce(column.name, default).alias(column.name))
        return rows

    def _with_channel(self, rows: pl.DataFrame) -> pl.DataFrame:
        column = self._dataset.channel or ""
        for text in rows[column].drop_nulls().unique().to_list():
            if text not in self._channels:
                self._channels[text] = self._resolve(text)
        found = {k: v for k, v in self._channels.items() if isinstance(v, Channel)}
        refused = {k: v for k, v in self._channels.items() if isinstance(v, str)}
        bad = rows.filter(pl.col(column).is_in(list(refused)))
        errors = [
            CellError(row, column, text, "ambiguous_channel", refused[text])
            for row, text in bad.select(ROW, column).iter_rows()
        ]
        self._refusals.add(errors, bad.height)
        good = rows.filter(~pl.col(column).is_in(list(refused)).fill_null(value=False))
        return good.with_columns(
            pl.col(column)
            .replace_strict(
                {text: getattr(channel, attribute) for text, channel in found.items()},
                default=None,
                return_dtype=pl.String,
            )
            .alias(name)
            for name, attribute in zip(
                CHANNEL_COLUMNS, ("connector", "account", "marketplace"), strict=True
            )
        )

    def _resolve(self, text: str) -> Channel | str:
        try:
            return resolve_channel(text, self._terms.accounts)
        except AmbiguousChannelError as error:
            return str(error)

    def _kept_private(self, rows: pl.DataFrame) -> pl.DataFrame:
        for column in self._dataset.columns:
            if column.treat == "mask":
                rows = rows.with_columns(_mapped(rows[column.name], mask_text))
            elif column.treat is not None:
                hashed = customer_key if column.treat == "customer" else keyed_hash
                rows = rows.with_columns(_mapped(rows[column.name], self._hashing(hashed)))
        extras = [EXTRAS_COLUMN]
        return rows.with_columns(_mapped(rows[name], mask_text) for name in extras)

    def _hashing(self, hashed: Callable[[str, str], str]) -> Callable[[str], str]:
        key = self._terms.hash_key

        def apply(value: str) -> str:
            if not key:
                raise ConfigurationError(
                    f"inbox {self._dataset.name}: a file names people, but there is no key to "
                    "hash them with. Set [privacy] customer_key_env and the variable it names"
                )
            return hashed(value, key)

        return apply

    def _note_scopes(self, rows: pl.DataFrame) -> None:
        if self._dataset.overlap or self._dataset.warn_unique:
            self._scopes.append(rows.select(ROW, *self._names()))

    def _overlaps(self, left_out: Collection[int]) -> set[int]:
        if not self._dataset.overlap or not self._scopes:
            return set()
        rows = pl.concat(self._scopes)
        rows = rows.filter(~pl.col(ROW).is_in(list(left_out)))
        refused: set[int] = set()
        for rule in self._dataset.overlap:
            found = overlapping_rows(rule, rows)
            says = f"its period overlaps another of the same {', '.join(rule.within)}"
            if found and rule.refuse == "file":
                raise FileRefusedError("overlap", f"row {found[0]}: {says}. Correct the periods")
            self._refuse_late(found, "overlap", says)
            refused.update(found)
        return refused

    def _refuse_late(self, rows: Iterable[int], rule: str, says: str) -> None:
        found = sorted(rows)
        column = self._dataset.key[0]
        self._refusals.add([CellError(row, column, "", rule, says) for row in found], len(found))

    def _flagged(self, left_out: Collection[int]) -> Sequence[Path]:
        """The spool, with the words for rows that only the whole file can judge."""
        for rule in self._dataset.warn_unique if self._scopes else ():
            rows = pl.concat(self._scopes).filter(~pl.col(ROW).is_in(list(left_out)))
            marked = repeated_within(rule, rows)
            for path in self._spool if marked else ():
                frame = pl.read_parquet(path)
                word = pl.concat_str(
                    [pl.col(FLAGS_COLUMN), pl.lit(rule.flag)], separator=";", ignore_nulls=True
                )
                is_marked = pl.col(ROW).is_in(marked)
                frame.with_columns(
                    pl.when(is_marked).then(word).otherwise(FLAGS_COLUMN).alias(FLAGS_COLUMN)
                ).write_parquet(path)
        return self._spool


def _errors_of(rule: CellRule | RowRule, rows: pl.DataFrame) -> list[CellError]:
    errors = []
    for row, value in rows.select(ROW, RAW + rule.column).iter_rows():
        text = value or ""
        word, says = (rule.rule, rule.says) if isinstance(rule.says, str) else rule.says(text)
        errors.append(CellError(row, rule.column, text, word, says))
    return errors


def _extras(rows: pl.DataFrame) -> pl.Expr:
    """Allowed extra columns as one JSON object of text, null where all are empty."""
    names = sorted(name for name in rows.columns if name.startswith(EXTRA))
    if not names:
        return pl.lit(None, dtype=pl.String).alias(EXTRAS_COLUMN)
    fields = [pl.col(name).str.strip_chars().alias(name.removeprefix(EXTRA)) for name in names]
    given = pl.any_horizontal(pl.col(name).str.strip_chars() != "" for name in names)
    return pl.when(given).then(pl.struct(fields).struct.json_encode()).alias(EXTRAS_COLUMN)


def _mapped(series: pl.Series, change: Callable[[str], str]) -> pl.Series:
    """A text column with each distinct value changed once."""
    values = series.drop_nulls().unique().to_list()
    if not values:
        return series
    changed = [change(value) for value in values]
    return series.replace_strict(values, changed, default=None, return_dtype=pl.String)
