"""The comparison with ShortKit-ML: what is drawn, what ours says of it, and that a peer gets the same labels."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from benchmarks.peer import Sample, ours, sample_of, shuffles, theirs

STAND_IN = """
__version__ = "9.9"

class ShortcutDetector:
    def __init__(self, methods):
        self.methods = methods

    def fit(self, vectors, labels, group_labels=None):
        groups = labels if group_labels is None else group_labels
        hit = bool((groups == vectors[:, 0]).all())
        self.results_ = {
            name: {"success": True, "risk_indicators": ["x"] * hit * (name == "probe")}
            for name in self.methods
        }
        self.word = "HIGH" if hit else "LOW"

    def summary(self):
        return f"OVERALL ASSESSMENT\\n====\\n{self.word}"
"""


def made(n: int = 400) -> Sample:
    clusters = np.arange(n) % 4
    return Sample(clusters[:, None].astype(float), clusters, clusters)


def test_the_label_that_is_the_cluster_passes_and_shuffled_ones_rarely_do() -> None:
    sample = made()

    (_, planted) = ours("planted", sample, sample.groups[None])
    (_, noise) = ours("noise", sample, shuffles(sample.groups, 40))

    assert (planted.yes, planted.runs) == (1, 1)
    # more than 8 of 40 at alpha = .05 come once in 10,000 times
    assert noise.runs == 40
    assert noise.yes <= 8


def test_shuffles_keep_the_sizes_of_groups_and_differ() -> None:
    codes = np.repeat([0, 1, 2], [5, 20, 75])

    found = shuffles(codes, 3)

    assert (np.sort(found, axis=1) == codes).all()
    assert len(np.unique(found, axis=0)) == 3


def test_a_peer_in_another_process_is_asked_of_the_same_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shortcut_detect.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    sample = made()
    labels = np.concatenate([sample.groups[None], shuffles(sample.groups, 2)])

    found = {each.question: each.yes for each in theirs(Path(sys.executable), "x", sample, labels)}

    for call in ("fit(vectors, labels)", "fit(vectors, target, group_labels=labels)"):
        said = f"ShortKit-ML 9.9, {call}: "
        assert found[f'{said}says "HIGH"'] == found[f"{said}raised: probe"] == 1
        assert found[f'{said}says "LOW"'] == 2


def test_a_sample_has_one_copy_of_faces_with_a_cluster_and_a_label(tmp_path: Path) -> None:
    n = 90
    clusters = np.arange(n) % 4
    clusters[:10] = -1
    races: list[str | None] = ["one" if c % 2 else "two" for c in clusters]
    races[10:20] = [None] * 10
    content = [f"{min(row, n - 11):03d}" for row in range(n)]
    columns = {"sha256": content, "cluster": clusters, "race": races}
    parquet.write_table(pa.table(columns), tmp_path / "rows.parquet")
    vectors = np.random.default_rng(0).normal(size=(n, 5)).astype(np.float32)
    np.save(tmp_path / "embeddings.npy", vectors)

    sample = sample_of(tmp_path, "race", 60)

    kept = vectors[20:80]
    assert (sample.clusters == clusters[20:80]).all()
    assert (sample.groups == 1 - clusters[20:80] % 2).all()
    assert np.linalg.norm(sample.vectors - sample.vectors[0], axis=1) == pytest.approx(
        np.linalg.norm(kept - kept[0], axis=1), abs=1e-3
    )
