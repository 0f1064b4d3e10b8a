"""Files damaged at random places are read or refused; they never stop the dataset's night."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from tests.connectors.files_drop import ORDER, Drop, csv_text, orders

_INSERTED = (b'"', b",", b"\n", b"\x00", b"=1", b"\xff")


def _workbook() -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(ORDER))
    for row in orders(20):
        sheet.append(list(row.values()))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _parquet() -> bytes:
    content = io.BytesIO()
    pl.DataFrame(orders(20)).write_parquet(content)
    return content.getvalue()


WHOLE = {
    "csv": csv_text(orders(20)).encode(),
    "csv.gz": gzip.compress(csv_text(orders(20)).encode(), mtime=0),
    "xlsx": _workbook(),
    "parquet": _parquet(),
}


def _damaged(content: bytes, dice: np.random.Generator) -> bytes:
    damaged = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 5, 30))):
        place = int(dice.integers(len(damaged) - 50))
        kind = int(dice.integers(3))
        if kind == 0:
            damaged[place] = int(dice.integers(256))
        elif kind == 1 and len(damaged) > 150:
            del damaged[place : place + int(dice.integers(1, 50))]
        else:
            damaged[place:place] = _INSERTED[int(dice.integers(len(_INSERTED)))]
    return bytes(damaged)


@pytest.mark.parametrize("suffix", sorted(WHOLE))
def test_damaged_files_are_read_or_refused(tmp_path: Path, suffix: str) -> None:
    dice = np.random.default_rng(20261120)
    drop = Drop(tmp_path, settings={"settle_seconds": 0, "encodings": ("utf-8", "gb18030")})
    for number in range(25):
        drop.put("orders", _damaged(WHOLE[suffix], dice), f"{number}.{suffix}")
    drop.night()
    assert list((drop.inbox / "orders").iterdir()) == []
    assert len(drop.manifests("orders")) == 25


def test_parquet_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    cells = {name: pa.array([value]) for name, value in ORDER.items()}
    broken = pa.array([b"\xff\xfe broken"], pa.binary()).view(pa.string())
    content = io.BytesIO()
    pq.write_table(pa.table({**cells, "sku": broken}), content)
    drop = Drop(tmp_path)
    drop.put("orders", content.getvalue(), "drop.parquet")
    drop.night()
    assert drop.rejects("orders") == {"broken_file": 1}
