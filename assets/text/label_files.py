"""Files of texts into files of labels: CSV or Parquet in, the same format out, row for row.

Belongs here: reading and writing. Does not belong here: the labels (`labels.py`), and work on
several processors (`spreading.py`).
"""

from __future__ import annotations

import csv
import os
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.text import linear
from assets.text.labels import Label, Labeller, Text, as_row
from assets.text.spreading import CHUNK, Row, label_chunks

if TYPE_CHECKING:
    import polars as pl

REQUIRED = ("id", "text")
OUTPUT = ("id", "lang", "sentiment", "confidence", "reasons")
_SUFFIXES = (".csv", ".parquet")


class LabelFileError(ValueError):
    """A file of texts that cannot be read, or a place that cannot be written to."""


def label_file(
    source: Path, target: Path, model: Path | None = None, workers: int | None = None
) -> int:
    """Write the labels of every row of `source`; the number of rows.

    `model` is a file that `learn_file` has made; without it sentiment is read by the shipped one.
    """
    if not source.is_file():
        raise LabelFileError(f"{source} is no file; give a .csv or .parquet with columns id, text")
    if source.suffix.lower() not in _SUFFIXES or target.suffix.lower() != source.suffix.lower():
        raise LabelFileError(f"{source.name} -> {target.name}: give two .csv or two .parquet files")
    is_csv = source.suffix.lower() == ".csv"
    rows = _read_csv(source) if is_csv else _read_parquet(source)
    first = list(islice(rows, CHUNK))
    is_small = len(first) < CHUNK
    chunks = iter([first]) if is_small else _chunks(first, rows)
    workers = 1 if is_small else workers or os.cpu_count() or 1
    labelled = map(_output, label_chunks(_labeller(model), chunks, workers))
    return _write_csv(target, labelled) if is_csv else _write_parquet(source, target, labelled)


def _labeller(model: Path | None) -> Labeller:
    if model is None:
        return Labeller()
    with _readable(model, "a model"):
        return Labeller(linear.load(model.read_bytes()))


def learn_file(source: Path, model: Path) -> int:
    """Learn sentiment from a file of texts and stars (1 to 5); the number of rows that taught."""
    from assets.text.retraining import label_of_stars, learn_from_stars

    frame = _frame(source)
    _check_columns(source, frame.columns, ("text", "stars"))
    rows = [
        (str(text), label_of_stars(float(stars)))
        for text, stars in frame.select("text", "stars").iter_rows()
        if text and stars is not None
    ]
    if not rows:
        raise LabelFileError(f"{source.name} has no row with a text and stars")
    texts, labels = zip(*rows, strict=True)
    linear.save(learn_from_stars(texts, labels), model)
    return len(rows)


def _frame(source: Path) -> pl.DataFrame:
    import polars as pl

    if not source.is_file() or source.suffix.lower() not in _SUFFIXES:
        raise LabelFileError(f"{source} is no .csv or .parquet file")
    with _readable(source, "a table"):
        return (
            pl.read_csv(source, encoding="utf8-lossy")
            if source.suffix.lower() == ".csv"
            else pl.read_parquet(source)
        )


def _chunks(first: list[Row], rows: Iterator[Row]) -> Iterator[list[Row]]:
    chunk = first
    while chunk:
        yield chunk
        chunk = list(islice(rows, CHUNK))


def _output(chunk: Sequence[tuple[Any, Label]]) -> list[tuple[Any, ...]]:
    return [(key, *as_row(label).values()) for key, label in chunk]


def _text_of(text: Any, language: Any, source: Any) -> Text:
    told = str(language).strip().lower()[:2] if language else None
    return Text(None if text is None else str(text), told, str(source or ""))


def _read_csv(path: Path) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.DictReader(line.replace("\0", "") for line in file)
        _check_columns(path, reader.fieldnames or ())
        for row in reader:
            yield row["id"], _text_of(row["text"], row.get("lang"), row.get("source_type"))


def _read_parquet(path: Path) -> Iterator[Row]:
    import pyarrow.parquet as pq

    with _readable(path, "Parquet"):
        file = pq.ParquetFile(path)
    names = file.schema_arrow.names
    _check_columns(path, names)
    wanted = [name for name in ("id", "text", "lang", "source_type") if name in names]
    for batch in file.iter_batches(batch_size=CHUNK, columns=wanted):
        for row in batch.to_pylist():
            yield row["id"], _text_of(row["text"], row.get("lang"), row.get("source_type"))


@contextmanager
def _readable(path: Path, kind: str) -> Iterator[None]:
    import polars as pl

    try:
        yield
    except (OSError, ValueError, zipfile.BadZipFile, pl.exceptions.PolarsError) as error:
        raise LabelFileError(f"{path} cannot be read as {kind}: {error}") from error


def _check_columns(path: Path, names: Sequence[str], needed: Sequence[str] = REQUIRED) -> None:
    missing = [name for name in needed if name not in names]
    if missing:
        raise LabelFileError(
            f"{path.name} has no column {' and no '.join(missing)}; needed are "
            f"{' and '.join(needed)}; it has {', '.join(names) or 'no columns'}"
        )


def _write_csv(path: Path, chunks: Iterable[list[tuple[Any, ...]]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(OUTPUT)
        for chunk in chunks:
            writer.writerows((*row[:3], f"{row[3]:.3f}", *row[4:]) for row in chunk)
            count += len(chunk)
    return count


def _write_parquet(source: Path, path: Path, chunks: Iterable[list[tuple[Any, ...]]]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind_of_id = pq.read_schema(source).field("id").type
    schema = pa.schema(
        [
            ("id", kind_of_id),
            ("lang", pa.string()),
            ("sentiment", pa.string()),
            ("confidence", pa.float64()),
            ("reasons", pa.string()),
        ]
    )
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        for chunk in chunks:
            columns = list(zip(*chunk, strict=True)) or [()] * len(OUTPUT)
            arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(chunk)
    return count
