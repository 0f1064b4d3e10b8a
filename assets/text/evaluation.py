"""How right the labels are on a file of texts that people have labelled.

    python -m assets.text.evaluation [FILE.csv]

The file has columns language, sentiment, reasons (joined by ;) and text; without one it is the
sample that comes with the product. Belongs here: the figures that the README states.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from assets.text.labels import Labeller
from assets.text.quality import SAMPLE, Judged, sample_judged
from assets.text.sentiment import NEGATIVE, POSITIVE


def figures(judged: Sequence[Judged]) -> dict[str, float]:
    """Accuracy of language and of clear-cut sentiment, micro-F1 of reasons, false tags."""
    languages = [j for j in judged if j.kind == "language"]
    feelings = [j for j in judged if j.kind == "sentiment"]
    reasons = [j for j in judged if j.kind == "reason"]
    clear = [j for j in feelings if j.wanted <= {NEGATIVE, POSITIVE}]
    happy = [
        reason
        for feeling, reason in zip(feelings, reasons, strict=True)
        if feeling.wanted == {POSITIVE} and not reason.wanted
    ]
    right = sum(len(j.wanted & j.found) for j in reasons)
    both = sum(len(j.wanted) + len(j.found) for j in reasons)
    return {
        "texts": len(languages),
        "language accuracy": _share([j.wanted == j.found for j in languages]),
        "sentiment accuracy, clear-cut": _share([j.wanted == j.found for j in clear]),
        "negative recall": _share([j.wanted == j.found for j in clear if NEGATIVE in j.wanted]),
        "reasons micro-F1": 2 * right / both if both else 0.0,
        "false tags on positive texts": _share([bool(j.found) for j in happy]),
    }


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=SAMPLE)
    judged = sample_judged(Labeller(), parser.parse_args().file)
    spoken = sorted({j.language for j in judged})
    groups = {"all": judged} | {name: [j for j in judged if j.language == name] for name in spoken}
    names = list(figures(judged))
    print(" ".join(("language", *(f"| {name}" for name in names))))
    for group, rows in groups.items():
        found = figures(rows)
        print(f"{group:8}", *(f"| {found[name]:{len(name)}.3g}" for name in names))


if __name__ == "__main__":
    main()
