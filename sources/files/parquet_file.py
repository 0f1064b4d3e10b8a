"""Reading `.parquet`: typed columns become the same canonical text that a CSV would hold.

Belongs here: Arrow types to text. Does not belong here: the rules of the dataset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sources.files.cells import (
    FLAGS,
    MAX_UNPACKED_BYTES,
    ROW,
    ROWS_PER_CHUNK,
    CellError,
    Chunk,
    FileRefusedError,
    refusing_broken,
)
from sources.files.declarations import Column, Dataset
from sources.files.header import Header
from sources.files.typed_cells import Text, from_number

_TIME = "%Y-%m-%dT%H:%M:%S%.6f"


def read_parquet(
    path: Path,
    dataset: Dataset,
    resolve: Callable[[Sequence[str]], Header],
    max_unpacked: int = MAX_UNPACKED_BYTES,
) -> Iterator[Chunk]:
    """Chunks of rows; the first row of data is row 2, as if there were a header row."""
    with refusing_broken("Parquet file"), pq.ParquetFile(path) as file:
        _refuse_bomb(file, max_unpacked)
        header = resolve(file.schema_arrow.names)
        columns = {column.name: column for column in dataset.columns}
        first = 2
        for batch in file.iter_batches(batch_size=ROWS_PER_CHUNK):
            batch.validate(full=True)  # text that is not UTF-8 would break polars
            yield _chunk(columns, header, batch, first)
            first += batch.num_rows
        yield _chunk(columns, header, file.schema_arrow.empty_table(), first)


def _refuse_bomb(file: pq.ParquetFile, max_unpacked: int) -> None:
    groups = (file.metadata.row_group(index) for index in range(file.metadata.num_row_groups))
    if sum(group.total_byte_size for group in groups) > max_unpacked:
        raise FileRefusedError(
            "archive_bomb", f"unpacks to more than {max_unpacked // 1024**2} MB: split the file"
        )


def _chunk(
    columns: Mapping[str, Column],
    header: Header,
    batch: pa.RecordBatch | pa.Table,
    first: int,
) -> Chunk:
    count = batch.num_rows
    rows = pl.Series(ROW, range(first, first + count), dtype=pl.Int64)
    frame = pl.DataFrame({ROW: rows, FLAGS: pl.Series([""] * count, dtype=pl.String)})
    errors: list[CellError] = []
    for index, name in enumerate(header.names):
        if not name:
            continue
        series = pl.Series(name, pl.from_arrow(batch.column(index)))
        if not series.dtype.is_float():
            frame = frame.with_columns(_as_text(name, series))
            continue
        texts = [_number(columns.get(name), value) for value in series.to_list()]
        marks = pl.Series([text.flag for text in texts], dtype=pl.String)
        frame = frame.with_columns(
            pl.Series(name, [text.value for text in texts], dtype=pl.String),
            (pl.col(FLAGS) + " " + marks).str.strip_chars().alias(FLAGS),
        )
        errors += [
            CellError(first + offset, name, "", text.rule, text.says)
            for offset, text in enumerate(texts)
            if text.rule
        ]
    bad = [error.row for error in errors]
    return Chunk(frame.filter(~pl.col(ROW).is_in(bad)) if bad else frame, tuple(errors))


def _number(column: Column | None, value: float | None) -> Text:
    return Text(None) if value is None else from_number(column, value)


def _as_text(name: str, series: pl.Series) -> pl.Series:
    kind = series.dtype
    if kind == pl.Date:
        return series.dt.to_string("%Y-%m-%d")
    if isinstance(kind, pl.Datetime):
        if kind.time_zone is None:
            return series.cast(pl.Datetime("us")).dt.to_string(_TIME)
        return series.cast(pl.Datetime("us", "UTC")).dt.to_string(_TIME + "Z")
    is_plain = kind in (pl.String, pl.Categorical, pl.Null, pl.Boolean)
    if is_plain or kind.is_integer() or kind.is_decimal():
        return series.cast(pl.String)
    raise FileRefusedError(
        "column_type",
        f"column {name} has the type {kind}: use text, int64, decimal(18,4), date32 or "
        "timestamp(us, UTC)",
    )
