"""The figures of the README on public data: `python -m assets.text.training.measure --data DIR`.

Belongs here: which rows of which corpus a figure is of. Does not belong here: texts that people
have labelled by hand (`assets/text/evaluation.py`). Data of other licences may be measured here,
though they shape no model. Reviews of Olist are cut in halves by their order: of them, only the
first was looked at when rules were tuned last. `--reviews` names a folder with other starred
reviews, one LANGUAGE.parquet each with columns text and stars: its first rows teach, the last
seventh is asked.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from hashlib import md5
from pathlib import Path

import polars as pl

from assets.text.labels import Label, Labeller, Text
from assets.text.retraining import label_of_stars, learn_from_stars
from assets.text.sentiment import NEUTRAL, POSITIVE
from assets.text.training.learn_sentiment import LANGUAGES, SOURCES

LATE = "late_or_not_received"
TAUGHT, ASKED = (300, 1_000, 3_000), 7  # rows of a file that teach; one in so many is asked


def labelled(texts: Sequence[str], labeller: Labeller | None = None) -> list[Label]:
    return list((labeller or Labeller()).label(map(Text, texts)))


def share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0


def false_tags(texts: Sequence[str]) -> float:
    """Share of happy texts for which any reason is found."""
    return share([bool(label.codes) for label in labelled(texts)])


def clear_cut(labels: Sequence[Label], wanted: Sequence[str]) -> float:
    """Accuracy of sentiment where the true one is not neutral."""
    pairs = zip(labels, wanted, strict=True)
    return share([label.sentiment == true for label, true in pairs if true != NEUTRAL])


def olist_reviews(folder: Path) -> pl.DataFrame:
    """Commented reviews: text, stars, which half, and whether the delivery is late or missing."""
    orders = pl.read_parquet(folder / "orders.parquet").select(
        "order_id",
        pl.col("order_delivered_customer_date").str.head(10).replace("", None).alias("delivered"),
        pl.col("order_estimated_delivery_date").str.head(10).alias("promised"),
    )
    words = [pl.col(f"review_comment_{part}").fill_null("") for part in ("title", "message")]
    return (
        pl.read_parquet(folder / "order_reviews.parquet")
        .filter(pl.col("review_comment_message").is_not_null())
        .join(orders, on="order_id", maintain_order="left")
        .select(
            pl.concat_str(words, separator=" ").str.strip_chars().alias("text"),
            pl.col("review_score").cast(pl.Int64).alias("stars"),
            pl.col("order_id").map_elements(half_of, return_dtype=pl.Int64).alias("half"),
            (pl.col("delivered").is_null() | (pl.col("delivered") > pl.col("promised"))).alias(
                "is_late"
            ),
        )
    )


def half_of(order_id: str) -> int:
    return int(md5(order_id.encode(), usedforsecurity=False).hexdigest(), 16) % 2


def late_shares(reviews: pl.DataFrame) -> tuple[float, float]:
    """How often the late tag fires at one and two stars: delivery late or missing, else."""
    low = reviews.filter(pl.col("stars") <= 2)
    fired = [LATE in label.codes for label in labelled(low["text"].to_list())]
    tags = low.with_columns(pl.Series("fired", fired, dtype=pl.Boolean))
    late, other = (tags.filter(pl.col("is_late") == late)["fired"] for late in (True, False))
    return share(late.to_list()), share(other.to_list())


def olist_figures(reviews: pl.DataFrame) -> Iterator[tuple[str, float]]:
    for half, name in enumerate(("Olist, tuned half", "Olist, other half")):
        rows = reviews.filter(pl.col("half") == half)
        late, other = late_shares(rows)
        yield f"{name}: late tag, delivery late or missing", late
        yield f"{name}: late tag, else", other
        happy = rows.filter(pl.col("stars") == 5)["text"].to_list()
        yield f"{name}: any tag at five stars", false_tags(happy)
        wanted = [label_of_stars(stars) for stars in rows["stars"]]
        yield f"{name}: clear-cut sentiment", clear_cut(labelled(rows["text"].to_list()), wanted)
    taught, asked = (reviews.filter(pl.col("half") == half) for half in (0, 1))
    stars = [[label_of_stars(s) for s in part["stars"]] for part in (taught, asked)]
    own = Labeller(learn_from_stars(taught["text"].to_list(), stars[0]))
    after = labelled(asked["text"].to_list(), own)
    yield "Olist, other half: clear-cut after learning the first", clear_cut(after, stars[1])


def corpus_figures(data: Path) -> Iterator[tuple[str, float]]:
    """All of these but the languages have shaped the sentiment model; none has shaped the rules."""
    for source in SOURCES:
        frame = pl.read_parquet(data / source.path).filter(pl.col("lang").is_in(LANGUAGES))
        name = source.path.split("/")[0]
        for (language,), rows in sorted(frame.group_by("lang", maintain_order=True)):
            happy = rows.filter(pl.col("label") == POSITIVE)["text"].to_list()
            yield f"{name} {language}: any tag on positive texts", false_tags(happy)


def review_figures(folder: Path) -> Iterator[tuple[str, float]]:
    """Of starred reviews that shape nothing here: before and after they teach."""
    for path in sorted(folder.glob("*.parquet")):
        rows = pl.read_parquet(path).select(pl.col("text"), pl.col("stars").cast(pl.Int64))
        asked = rows.tail(len(rows) // ASKED)
        before = labelled(asked["text"].to_list())
        yield from _clear_figures(f"{path.stem} before", before, asked)
        languages = [label.language.language == path.stem for label in before]
        yield f"{path.stem} before: language", share(languages)
        happy = [bool(x.codes) for x, s in zip(before, asked["stars"], strict=True) if s == 5]
        yield f"{path.stem} before: any tag at five stars", share(happy)
        for count in TAUGHT:
            if count > len(rows) - len(asked):
                continue
            taught = rows.head(count)
            stars = [label_of_stars(s) for s in taught["stars"]]
            own = Labeller(learn_from_stars(taught["text"].to_list(), stars))
            after = labelled(asked["text"].to_list(), own)
            yield from _clear_figures(f"{path.stem} after {count}", after, asked)


def _clear_figures(
    name: str, labels: Sequence[Label], asked: pl.DataFrame
) -> Iterator[tuple[str, float]]:
    stars = asked["stars"].to_list()
    for kind, kept in (("1-2 and 4-5", (1, 2, 4, 5)), ("1 and 5", (1, 5)), ("1-2", (1, 2))):
        pairs = [(x, label_of_stars(s)) for x, s in zip(labels, stars, strict=True) if s in kept]
        yield f"{name}: clear-cut, stars {kind}", clear_cut(*zip(*pairs, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--reviews", type=Path, help="folder with other starred reviews")
    arguments = parser.parse_args()
    data = arguments.data
    if arguments.reviews is not None:
        for name, value in review_figures(arguments.reviews):
            print(f"{name:64} {value:.3f}", flush=True)
        return
    for name, value in olist_figures(olist_reviews(data / "olist_sample")):
        print(f"{name:64} {value:.3f}", flush=True)
    for name, value in corpus_figures(data):
        print(f"{name:64} {value:.3f}", flush=True)


if __name__ == "__main__":
    main()
