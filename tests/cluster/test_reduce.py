"""The principal space in one pass over blocks is the principal space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from fer_audit.cluster import reduce
from fer_audit.cluster.reduce import Rows, principal_space, reduce_rows
from tests.cluster.clouds import rows_of


@pytest.fixture
def vectors() -> NDArray[np.float32]:
    """Give 300 correlated vectors far from the origin: ResNet's features are all positive."""
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((20, 20)) * np.geomspace(1, 0.05, 20)
    return (rng.standard_normal((300, 20)) @ mixing.T + 40).astype(np.float32)


@pytest.mark.parametrize("block_rows", [1, 7, 64, 4096])
def test_it_is_sklearns_pca_up_to_signs(
    vectors: NDArray[np.float32], block_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reduce, "BLOCK_ROWS", block_rows)
    pca = PCA(5).fit(vectors.astype(np.float64))

    space = principal_space(rows_of(vectors), 5)
    reduced = reduce_rows(rows_of(vectors), space)

    assert np.allclose(space.mean, pca.mean_, rtol=1e-6)
    assert np.allclose(np.abs(space.axes.T @ pca.components_.T), np.eye(5), atol=1e-4)
    wanted = pca.transform(vectors.astype(np.float64))
    signs = np.sign((reduced * wanted).sum(axis=0))
    assert np.allclose(reduced * signs, wanted, atol=1e-3 * np.abs(wanted).max())
    assert space.explained == pytest.approx(pca.explained_variance_ratio_.sum(), rel=1e-5)


def test_the_largest_coefficient_of_an_axis_is_positive(vectors: NDArray[np.float32]) -> None:
    axes = principal_space(rows_of(vectors), 8).axes

    assert (axes[np.abs(axes).argmax(axis=0), np.arange(8)] > 0).all()
    assert np.allclose(axes.T @ axes, np.eye(8), atol=1e-5)


def test_fewer_dimensions_than_components_keep_all_the_variance(
    vectors: NDArray[np.float32],
) -> None:
    space = principal_space(rows_of(vectors), 128)

    assert space.axes.shape == (20, 20)
    assert space.explained == pytest.approx(1)


def test_rows_that_are_not_ok_do_not_count(vectors: NDArray[np.float32]) -> None:
    ok = np.random.default_rng(1).random(len(vectors)) < 0.7
    garbage = vectors.copy()
    garbage[~ok] = np.nan

    with_garbage = principal_space(Rows(garbage, ok), 5)
    alone = principal_space(rows_of(vectors[ok]), 5)

    assert np.allclose(with_garbage.axes, alone.axes, atol=1e-4)
    assert np.isfinite(reduce_rows(Rows(garbage, ok), with_garbage)).all()


@pytest.mark.parametrize("block_rows", [1, 3, 10])
def test_blocks_hold_every_usable_row_once_in_order(
    block_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reduce, "BLOCK_ROWS", block_rows)
    vectors = np.arange(10, dtype=np.float32)[:, None]
    ok = np.array([1, 1, 1, 0, 0, 0, 1, 0, 1, 1], dtype=np.bool_)

    blocks = list(Rows(vectors, ok).blocks())

    assert np.concatenate([rows for rows, _ in blocks]).tolist() == np.flatnonzero(ok).tolist()
    assert np.concatenate([block for _, block in blocks])[:, 0].tolist() == [0, 1, 2, 6, 8, 9]
    assert all(len(block) for _, block in blocks)


def test_one_constant_vector_has_nothing_to_explain() -> None:
    space = principal_space(rows_of(np.full((9, 4), 3.0, np.float32)), 2)

    assert space.explained == 1
    assert np.isfinite(space.axes).all()


def test_half_precision_rows_are_their_values_in_single_precision(
    vectors: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reduce, "BLOCK_ROWS", 64)
    halves = vectors.astype(np.float16)
    ok = np.arange(len(vectors)) % 5 > 0
    active = np.arange(0, ok.sum(), 9)

    for of in (None, active):
        chunks = list(Rows(halves, ok).chunks(of))
        wanted = halves[ok].astype(np.float32)
        for here, block in chunks:
            assert block.dtype == np.float32
            assert np.array_equal(block, wanted[here])


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux counts pages so")
def test_pages_of_a_large_map_do_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else resident memory grows to the size of the file, and looks as if the file were loaded."""
    monkeypatch.setattr(reduce, "MAX_MAPPED_BYTES", 1)
    np.save(tmp_path / "v.npy", np.ones((20_000, 512), np.float32), allow_pickle=False)
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r", allow_pickle=False)
    rows = rows_of(mapped)

    seen = [(float(block.sum()), _resident_kib(mapped)) for _, block in rows.blocks()]

    assert sum(total for total, _ in seen) == mapped.size
    assert max(resident for _, resident in seen) < 2.5 * 4 * 512 * reduce.BLOCK_ROWS / 1024


def _resident_kib(mapped: NDArray[np.float32]) -> int:
    """Return the resident part of the mapping that holds an array."""
    address = mapped.ctypes.data
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *rest = line.split()
        if not first.endswith(":"):
            low, high = (int(x, 16) for x in first.split("-"))
            inside = low <= address < high
        elif inside and first == "Rss:":
            return int(rest[0])
    raise AssertionError("the array lies in no mapping")
