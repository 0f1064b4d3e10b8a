"""Writes the data dictionary, in English and Chinese, from the yml beside the models.

Belongs here: yml -> `docs/data_dictionary.md` and `docs/data_dictionary.zh-CN.md`. Does not belong
here: what a column means (the yml says it) and what is published (`assets/catalog.py`).
Run it from the repository after a change of the yml: `python dbt_project/dictionary.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parent
DOCS = PROJECT.parent / "docs"
SCHEMAS = ("marts", "signals", "meta")


@dataclass(frozen=True)
class Words:
    """What the pages say around the descriptions, in one language."""

    file: str
    title: str
    intro: str
    grain: str
    key: str
    time_basis: str
    columns: str
    additive: str
    meta_key: str | None


ENGLISH = Words(
    file="data_dictionary.md",
    title="Data dictionary",
    intro=(
        "Every published table and column. Made by `python dbt_project/dictionary.py` from the yml"
        " beside the models; the same texts are the comments of the published file and the tables"
        " `meta.table_description` and `meta.column_description`."
    ),
    grain="Grain",
    key="key",
    time_basis="time basis",
    columns="| column | type | unit | may be added | meaning |",
    additive="yes",
    meta_key=None,
)
CHINESE = Words(
    file="data_dictionary.zh-CN.md",
    title="数据字典",
    intro=(
        "全部已发布的表与列。由 `python dbt_project/dictionary.py` 根据模型旁的 yml 生成。"
        "相同的文字也用作发布文件的注释和 `meta.table_description` 与"
        " `meta.column_description` 两张表的内容。"
    ),
    grain="粒度",
    key="主键",
    time_basis="时间口径",
    columns="| 列 | 类型 | 单位 | 可相加 | 含义 |",
    additive="是",
    meta_key="zh",
)


def published_models(project: Path = PROJECT) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(schema.table, declaration) of each published table, in the order of the yml files."""
    for schema in SCHEMAS:
        for path in sorted((project / "models" / schema).rglob("_*.yml")):
            for model in yaml.safe_load(path.read_text("utf-8")).get("models", []):
                yield f"{schema}.{model['config'].get('alias', model['name'])}", model


def page(words: Words, project: Path = PROJECT) -> str:
    models = list(published_models(project))
    lines = [f"# {words.title}", "", words.intro, ""]
    for name, _model in models:
        lines.append(f"- [{name}](#{name.replace('.', '')})")
    for name, model in models:
        lines += ["", *_table(name, model, words)]
    return "\n".join(lines) + "\n"


def _table(name: str, model: Mapping[str, Any], words: Words) -> Iterator[str]:
    meta = model["config"]["meta"]
    yield f"## {name}"
    yield ""
    yield model["description"] if words.meta_key is None else meta[words.meta_key]
    yield ""
    yield (
        f"{words.grain}: {meta['grain']} · {words.key}: {', '.join(meta['key'])}"
        f" · {words.time_basis}: {meta['time_basis']}"
    )
    yield ""
    yield words.columns
    yield "|---|---|---|---|---|"
    for column in model["columns"]:
        notes = column["config"]["meta"]
        meaning = column["description"] if words.meta_key is None else notes[words.meta_key]
        cells = (
            f"`{column['name']}`",
            column["data_type"],
            notes["unit"],
            words.additive if notes["is_additive"] else "",
            meaning.replace("|", "\\|"),
        )
        yield "| " + " | ".join(cells) + " |"


def main() -> None:
    for words in (ENGLISH, CHINESE):
        (DOCS / words.file).write_text(page(words), "utf-8")


if __name__ == "__main__":
    main()
