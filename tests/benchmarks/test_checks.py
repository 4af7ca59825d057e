"""What counts as the same output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.cases import cluster, embed
from benchmarks.interleave import UnequalOutputs

References = dict[str, NDArray[np.float32]]


@pytest.fixture
def references() -> References:
    """Give two sets of 20 vectors."""
    rng = np.random.default_rng(0)
    return {name: rng.random((20, 64), dtype=np.float32) for name in ("fp32", "paper")}


@pytest.mark.parametrize("peer", ["bare-fp32", "pack-fp32", "cold-fp32"])
def test_our_own_peers_must_agree_to_the_last_bit(peer: str, references: References) -> None:
    vectors = references["fp32"].copy()
    assert embed.check(peer, vectors, references)["largest_difference"] == 0

    vectors[3, 3] = np.nextafter(vectors[3, 3], np.float32(2))

    with pytest.raises(UnequalOutputs, match=peer):
        embed.check(peer, vectors, references)


@pytest.mark.parametrize("peer", ["loop-8", "torch-eager", "paper"])
def test_others_may_round_and_no_more(peer: str, references: References) -> None:
    reference = references["paper" if peer == "paper" else "fp32"]
    assert embed.check(peer, reference * np.float32(1 + 1e-5), references)["least_cosine"] > 0.9999

    wrong = reference.copy()
    wrong[7] = np.roll(wrong[7], 1)

    for other in (wrong, reference * np.float32(1.01), reference[:19]):
        with pytest.raises(UnequalOutputs):
            embed.check(peer, other, references)


@pytest.mark.parametrize(("precision", "most"), [("int8", 0.25), ("fp16", 0.02)])
def test_a_precision_that_rounds_is_held_to_a_share_of_the_spread(
    precision: str, most: float, references: References
) -> None:
    reference = references["fp32"].astype(np.float64)
    noise = np.random.default_rng(1).normal(size=reference.shape)
    noise *= np.linalg.norm(reference - reference.mean(axis=0)) / np.linalg.norm(noise)

    def off_by(share: float) -> NDArray[np.float32]:
        return (reference + share * noise).astype(np.float32)

    agreed = embed.check(f"cold-{precision}", off_by(0.99 * most), references)

    assert agreed["error_of_spread"] == pytest.approx(0.99 * most, rel=1e-4)
    with pytest.raises(UnequalOutputs):
        embed.check(f"cold-{precision}", off_by(1.01 * most), references)


@pytest.mark.parametrize("peer", ["bare-int8", "pack-fp16"])
def test_vectors_of_other_faces_are_refused_though_their_cosine_is_high(
    peer: str, references: References
) -> None:
    """Embeddings have a large common part; here two of them have a cosine of 0.999."""
    alike = {"fp32": references["fp32"] + np.float32(10)}
    others = np.roll(alike["fp32"], 1, axis=0)
    lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(alike["fp32"], axis=1)
    assert ((others * alike["fp32"]).sum(axis=1) / lengths).mean() > 0.999

    with pytest.raises(UnequalOutputs, match=peer):
        embed.check(peer, others, alike)


def test_the_inertia_is_scikit_learns() -> None:
    from sklearn.cluster import KMeans

    vectors = cluster.seeded_blobs(3_000, 16)
    model = KMeans(4, n_init=1, random_state=0).fit(vectors)

    assert cluster.inertia(vectors, model.labels_, 4) == pytest.approx(model.inertia_, rel=1e-5)


def test_a_worse_partition_is_not_raced() -> None:
    vectors = cluster.seeded_blobs(500, 16)
    labels = (np.arange(500) % 4).astype(np.int32)
    good = np.argsort(np.argsort(vectors[:, 0])).astype(np.int32) // 125
    compare = cluster.InertiaCheck(vectors, 4)
    compare("ours", good)

    with pytest.raises(UnequalOutputs, match="sklearn"):
        compare("sklearn-1", labels)


@pytest.mark.parametrize("labels", [np.full(500, 4), np.full(500, -1), np.zeros(499)])
def test_labels_that_are_no_partition_are_refused(labels: NDArray[np.float64]) -> None:
    vectors = cluster.seeded_blobs(500, 16)

    with pytest.raises(UnequalOutputs):
        cluster.inertia(vectors, labels.astype(np.int32), 4)


def test_no_baseline_knows_us() -> None:
    """Else it would be timed with our code in it, and its environment would need ours."""
    for folder in ("baselines", "serving.py"):
        path = Path(embed.__file__).parents[1] / folder
        for file in path.rglob("*.py") if path.is_dir() else [path]:
            assert "import fer_audit" not in file.read_text()
            assert "from fer_audit" not in file.read_text()
