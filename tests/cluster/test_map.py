"""The plane of the latent space: two principal coordinates, or a seeded UMAP."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_audit.cluster.map import (
    N_NEIGHBOURS,
    LatentMap,
    load_map,
    map_fingerprint,
    principal_map,
    save_map,
    umap_map,
)
from fer_audit.errors import ConfigError
from fer_audit.store.stage import StageFolder
from tests.cluster.clouds import all_ok, clouds, noise


@pytest.mark.parametrize(("d", "shown"), [(6, 2), (3, 2), (1, 1)])
def test_the_principal_map_is_the_first_two_coordinates_and_says_of_how_many(
    d: int, shown: int
) -> None:
    points = noise(0, n=50, d=d)
    ok = np.arange(50) != 7

    found = principal_map(points, ok)

    assert np.array_equal(found.points[ok, :shown], points[ok, :shown])
    assert not found.points[:, shown:].any()
    assert not found.points[7].any()
    assert np.array_equal(found.ok, ok)
    assert found.points.dtype == np.float32
    assert found.settings == (("coordinates", f"{shown} of {d}"),)


def test_a_map_comes_back_from_the_cache_as_it_went_in(tmp_path: Path) -> None:
    points, _ = clouds(1, n=30)
    latent = principal_map(points, np.arange(30) != 3)
    folder = StageFolder.open(tmp_path, "map", "f" * 64)

    assert load_map(folder) == ""
    save_map(folder, latent)
    found = load_map(folder)

    assert isinstance(found, LatentMap)
    assert np.array_equal(found.points, latent.points)
    assert np.array_equal(found.ok, latent.ok)
    assert (found.method, found.settings) == (latent.method, latent.settings)


def test_the_fingerprint_names_the_rows_the_seed_and_the_version() -> None:
    ok = np.ones(9, np.bool_)
    prints = {
        map_fingerprint("c", ok=ok, seed=0, umap="1"),
        map_fingerprint("d", ok=ok, seed=0, umap="1"),
        map_fingerprint("c", ok=np.arange(9) != 2, seed=0, umap="1"),
        map_fingerprint("c", ok=ok, seed=1, umap="1"),
        map_fingerprint("c", ok=ok, seed=0, umap="2"),
    }

    assert len(prints) == 5


def test_without_umap_learn_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)  # what an import of a missing module meets
    points, _ = clouds(0, n=40)

    with pytest.raises(ConfigError, match="umap-learn") as caught:
        umap_map(points, all_ok(points), seed=0)
    assert "pip install 'fer-audit[map]'" in caught.value.hint


def test_a_umap_of_too_few_images_is_refused() -> None:
    points, _ = clouds(0, n=N_NEIGHBOURS)

    with pytest.raises(ValueError, match="neighbours"):
        umap_map(points, all_ok(points), seed=0)


@pytest.mark.slow
def test_a_umap_keeps_clouds_apart_and_the_same_seed_gives_the_same_plane() -> None:
    """Slow the first time: numba compiles for ten seconds."""
    pytest.importorskip("umap")
    points, kinds = clouds(0, n=300, apart=30)
    ok = np.arange(300) != 7

    found, again, other = (umap_map(points, ok, seed=seed) for seed in (0, 0, 1))

    assert np.array_equal(found.points, again.points)
    assert not np.array_equal(found.points, other.points)
    assert np.array_equal(found.ok, ok)
    assert not found.points[7].any()
    assert found.points.dtype == np.float32
    assert found.method == "umap"
    assert dict(found.settings)["neighbours"] == "15"
    centres = np.stack(
        [np.median(found.points[ok & (kinds == kind)], axis=0) for kind in range(4)]
    )
    nearest = np.linalg.norm(found.points[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest[ok] == kinds[ok]).mean() > 0.95


@pytest.mark.slow
def test_a_umap_makes_no_sound() -> None:
    """In a process of its own: an import that warns does so only once."""
    pytest.importorskip("umap")
    code = (
        "import numpy as np\n"
        "from fer_audit.cluster.map import umap_map\n"
        "points = np.random.default_rng(0).normal(size=(16, 4)).astype(np.float32)\n"
        "umap_map(points, np.ones(16, bool), seed=0)\n"
    )

    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True
    )

    assert (done.stdout, done.stderr) == ("", "")
