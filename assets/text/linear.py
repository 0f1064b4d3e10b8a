"""Multinomial logistic regression over hashed features: weights, probabilities, learning.

Belongs here: the arithmetic and the file of weights. Does not belong here: what the classes mean.
A model is learnt either from nothing or, from few texts of a seller, as a small correction of
another model; scipy is needed for learning only.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assets.text import features
from assets.text.features import BUCKETS, Features

Floats = npt.NDArray[np.float32]
COMPLAINT = "complaint"  # in `about`: what a complaint found by a rule adds, where it is told


@dataclass(frozen=True)
class Linear:
    """Weights (bucket x class), intercepts, names of the classes, and where they came from."""

    classes: tuple[str, ...]
    weights: Floats
    intercepts: Floats
    about: dict[str, Any] = field(default_factory=dict)

    def scores(self, found: Features) -> Floats:
        """Row x class, before they become probabilities."""
        rows = len(found.starts) - 1
        picked = self.weights[found.buckets]
        sums = np.zeros((rows, len(self.classes)), np.float64)
        filled = found.sizes > 0
        if filled.any():
            sums[filled] = np.add.reduceat(picked, found.starts[:-1][filled], dtype=np.float64)
        lengths = np.sqrt(np.maximum(found.sizes, 1))
        return (sums / lengths[:, None] + self.intercepts).astype(np.float32)

    def probabilities(self, found: Features) -> Floats:
        return softmax(self.scores(found))

    @property
    def version(self) -> str:
        """Short hash of all that decides a label."""
        digest = hashlib.sha256(self.weights.astype(np.float16).tobytes())
        told = (self.classes, self.intercepts.tolist(), features.VERSION, self.about.get(COMPLAINT))
        digest.update(repr(told).encode())
        return digest.hexdigest()[:10]


def softmax(scores: Floats) -> Floats:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def learn(
    found: Features,
    labels: npt.NDArray[np.int64],
    classes: Sequence[str],
    *,
    sample_weights: Floats | None = None,
    start: Linear | None = None,
    penalty: float = 1e-4,
    by_rarity: bool = False,
) -> Linear:
    """The weights that explain the labels best, drawn toward `start` (or zero) by the penalty.

    `by_rarity` draws those of frequent features more: what stands in every text tells little.
    """
    from scipy.optimize import minimize
    from scipy.sparse import csr_matrix

    used, columns = np.unique(found.buckets, return_inverse=True)
    values = np.repeat(1 / np.sqrt(np.maximum(found.sizes, 1)), found.sizes)
    matrix = csr_matrix((values, columns, found.starts), shape=(len(labels), len(used)))
    reach = _rarity(np.bincount(columns), len(labels)) if by_rarity else np.ones(len(used))
    matrix = matrix.multiply(reach).tocsr()
    transposed = matrix.T.tocsr()
    count = len(classes)
    truth = np.eye(count)[labels]
    weight = np.ones(len(labels)) if sample_weights is None else sample_weights.astype(np.float64)
    weight = weight / weight.sum()
    base = np.zeros((len(labels), count)) if start is None else start.scores(found)

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        change = flat.reshape(len(used) + 1, count)
        scores = base + matrix @ change[:-1] + change[-1]
        scores -= scores.max(axis=1, keepdims=True)
        exp = np.exp(scores)
        chance = exp / exp.sum(axis=1, keepdims=True)
        value = -(weight * np.log(np.maximum((chance * truth).sum(axis=1), 1e-12))).sum()
        error = (chance - truth) * weight[:, None]
        slope = np.vstack([transposed @ error + penalty * change[:-1], error.sum(axis=0)])
        return value + penalty / 2 * (change[:-1] ** 2).sum(), slope.ravel()

    first = np.zeros((len(used) + 1) * count)
    found_minimum = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 150})
    change = found_minimum.x.reshape(len(used) + 1, count)
    weights = np.zeros((BUCKETS, count), np.float32)
    intercepts = np.zeros(count, np.float32)
    if start is not None:
        weights, intercepts = start.weights.copy(), start.intercepts.copy()
    weights[used] += (change[:-1] * reach[:, None]).astype(np.float32)
    return stored_form(Linear(tuple(classes), weights, intercepts + change[-1].astype(np.float32)))


def _rarity(texts_with: npt.NDArray[np.int64], texts: int) -> npt.NDArray[np.float64]:
    """0 of what stands in every text, 1 of what stands in one."""
    return np.log(texts / texts_with) / max(np.log(texts), 1.0)


def stored_form(model: Linear) -> Linear:
    """With weights as the file holds them: a saved model labels exactly as the one just learnt."""
    rounded = model.weights.astype(np.float16).astype(np.float32)
    return replace(model, weights=rounded)


def save(model: Linear, path: Path) -> None:
    path.write_bytes(saved(model))


def saved(model: Linear) -> bytes:
    """One compressed file of plain arrays, the same bytes for the same weights."""
    kept = np.flatnonzero(np.abs(model.weights).max(axis=1) > 0).astype(np.int64)
    gaps = np.diff(kept, prepend=0).astype("<u4")
    parts = {
        "gaps": gaps.tobytes(),
        "weights": model.weights[kept].astype("<f2").tobytes(),
        "about.json": json.dumps(
            {
                "classes": model.classes,
                "intercepts": [float(x) for x in model.intercepts],
                "features": features.VERSION,
                **model.about,
            },
            indent=1, sort_keys=True, ensure_ascii=False,
        ).encode(),
    }  # fmt: skip
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, body in parts.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, body, compresslevel=zlib.Z_BEST_COMPRESSION)
    return content.getvalue()


def load(content: bytes) -> Linear:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        about = json.loads(archive.read("about.json"))
        gaps = np.frombuffer(archive.read("gaps"), "<u4")
        rows = np.frombuffer(archive.read("weights"), "<f2")
    if about.pop("features") != features.VERSION:
        raise ValueError("the model was learnt for other features; run the training again")
    classes = tuple(about.pop("classes"))
    weights = np.zeros((BUCKETS, len(classes)), np.float32)
    weights[np.cumsum(gaps.astype(np.int64))] = rows.reshape(-1, len(classes)).astype(np.float32)
    return Linear(classes, weights, np.array(about.pop("intercepts"), np.float32), about)
