"""Vectors to clusters: our ten starts in a reduced space and one polish, against scikit-learn's ten starts in the full space.

Timed: from a float32 matrix (ours: a memory map in the page cache; scikit-learn's: in memory) to labels.
Checked: the inertia of both partitions, computed here from the labels in float64, agrees within 0.1 %.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.interleave import Peer, Race, UnequalOutputs, race
from benchmarks.kept import kept_vectors_of
from benchmarks.options import Options

REPEATS = {4: 3, 10: 1}
"""k -> repeats. A run of scikit-learn takes 20 to 70 s here, in which a slow moment averages out, and there are two a repeat."""
KS = tuple(REPEATS)
STARTS = 10
TOLERANCE = 1e-3

BLOBS = (23_707, 2048)
"""Rows and dimensions: the shape of UTKFace's vectors where the set itself is not there."""
SMOKE_BLOBS = (2_400, 64)

NOT_MEASURED = (
    "a run after a warm-up: one of scikit-learn takes too long for that",
    "reading the vectors from a disk",
    "scikit-learn's MiniBatchKMeans",
    "whether the labels agree: two optima within 0.1 % can differ in them",
)


def measure(options: Options) -> dict[str, Any]:
    """Race the peers once for every k."""
    path, source = _vectors(options)
    vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    races = {}
    for k in KS[:1] if options.smoke else KS:
        options.say(f"  k = {k}")
        races[f"k={k}"] = race(
            Race(
                peers=_peers(path, k),
                ratios=(
                    ("ours, compared with scikit-learn on one thread", "ours", "sklearn-1"),
                    ("ours, compared with scikit-learn on all threads", "ours", "sklearn-all"),
                ),
                items=1,
                repeats=min(REPEATS[k], options.repeats),
                warm_up=False,
                check=InertiaCheck(vectors, k),
            ),
            work=options.work,
            environments=options.environments,
            say=options.say,
        )
    return {
        "unit": "seconds",
        "vectors": source,
        "shape": list(vectors.shape),
        "page_cache": "warm",
        "races": races,
        "not_measured": NOT_MEASURED,
    }


class InertiaCheck:
    """Compares every partition with the first one that was seen."""

    def __init__(self, vectors: NDArray[np.float32], k: int) -> None:
        self._vectors = vectors
        self._k = k
        self._first: tuple[str, float] | None = None

    def __call__(self, peer: str, labels: NDArray[np.int32]) -> dict[str, float]:
        """Return the inertia. Raises UnequalOutputs when it is further than 0.1 % from the first peer's."""
        found = inertia(self._vectors, labels, self._k)
        if self._first is None:
            self._first = peer, found
        first, expected = self._first
        if abs(found / expected - 1) > TOLERANCE:
            raise UnequalOutputs(
                f"k = {self._k}: {peer} reaches {found:.6g}, {first} {expected:.6g}"
            )
        return {"inertia": found, "beside_first": found / expected}


def inertia(vectors: NDArray[np.float32], labels: NDArray[np.int32], k: int) -> float:
    """Return the sum of squared distances to the means of the labels, in float64, block by block."""
    if len(labels) != len(vectors) or labels.min() < 0 or labels.max() >= k:
        raise UnequalOutputs(f"{len(labels)} labels of {len(vectors)} rows, or not all below {k}")
    sums, squares = np.zeros((k, vectors.shape[1])), 0.0
    for start in range(0, len(vectors), 2048):
        block = vectors[start : start + 2048].astype(np.float64)
        members = np.equal(np.arange(k)[:, None], labels[start : start + 2048])
        sums += members.astype(np.float64) @ block
        squares += float(np.square(block).sum())
    counts = np.maximum(np.bincount(labels, minlength=k), 1)
    return squares - float((np.square(sums).sum(axis=1) / counts).sum())


def _peers(path: Path, k: int) -> list[Peer]:
    setup = {"vectors": str(path), "k": k, "starts": STARTS}
    sklearn = "benchmarks.baselines.sklearn_kmeans"
    return [
        Peer(
            name="ours",
            label="fer-audit",
            group="ours",
            module="benchmarks.ours.clusters",
            setup=setup,
        ),
        Peer(
            name="sklearn-1",
            label="scikit-learn, one thread",
            group="others",
            module=sklearn,
            setup={**setup, "threads": 1},
        ),
        Peer(
            name="sklearn-all",
            label="scikit-learn, all threads",
            group="others",
            module=sklearn,
            setup={**setup, "threads": None},
        ),
    ]


def _vectors(options: Options) -> tuple[Path, str]:
    """Return the .npy to cluster, and what is in it."""
    if options.dataset is not None and not options.smoke:
        kept = kept_vectors_of(options.dataset)
        if not isinstance(kept, str):
            return kept, f"{options.dataset.name}, resnet50-keras"
        options.say(f"  seeded blobs instead of {options.dataset.name}: {kept}")
    path = options.work / "blobs.npy"
    n, d = SMOKE_BLOBS if options.smoke else BLOBS
    np.save(path, seeded_blobs(n, d), allow_pickle=False)
    return path, f"{max(KS)} seeded blobs in {min(KS)} groups"


def seeded_blobs(n: int, d: int) -> NDArray[np.float32]:
    """Return (n, d) rows around 10 seeded centres in 4 groups, so that both k have one optimum that stands out.

    Not negative and skewed, as what leaves a ReLU and a mean is.
    """
    rng = np.random.default_rng(0)
    few, many = min(KS), max(KS)
    groups = rng.gamma(0.5, 1.0, (few, d))
    centres = groups[np.arange(many) % few] + 0.6 * rng.gamma(0.5, 1.0, (many, d))
    rows = centres.astype(np.float32)[rng.integers(0, many, n)]
    rows += rng.standard_normal((n, d), dtype=np.float32) * 0.5
    return np.maximum(rows, 0, out=rows)
