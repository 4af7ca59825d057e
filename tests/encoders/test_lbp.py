"""Local binary patterns: what they do not see, and what they do."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer_audit.config import AuditConfig, Resources
from fer_audit.encoders.lbp import CELL, CODES, RADII, histograms, lbp_model
from fer_audit.errors import ModelError
from fer_audit.pipeline import run_audit

pytest.importorskip("skimage")
SIZE = 112
SIDE = SIZE // CELL


def picture(seed: int) -> NDArray[np.uint8]:
    """Return a grey image, as RGB, of few grey values from 20 to 100, with flat areas."""
    rng = np.random.default_rng(seed)
    grey = rng.integers(0, 5, (SIZE // 4, SIZE // 4)) * 20 + 20
    return np.repeat(grey.repeat(4, 0).repeat(4, 1)[..., None], 3, axis=2).astype(np.uint8)


def squares(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return vector.reshape(SIDE, SIDE, len(RADII), CODES)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_brightness_is_not_seen_and_every_square_adds_up(seed: int) -> None:
    image = picture(seed)

    vector = histograms(image)

    assert vector.shape == (lbp_model().spec.dim,)
    assert np.allclose(squares(vector).sum(axis=-1), 1)
    assert (vector == histograms(image * np.uint8(2))).all()
    assert (vector != histograms(255 - image)).any()


def test_codes_are_those_of_the_definition() -> None:
    """A bright dot on black, radius 1: eight points see it, the dot sees none, all others see no difference."""
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    image[24, 40] = 255

    first = squares(histograms(image))[24 // CELL, 40 // CELL, 0] * CELL * CELL

    # bilinear points: a straight neighbour has the dot and both diagonals beside it brighter or equal: all eight are >= 0
    assert first.round().sum() == CELL * CELL
    assert first[0] == 1, "the dot: no point is as bright"
    assert first[8] == CELL * CELL - 1, "elsewhere no point is darker"


def test_a_run_goes_on_where_it_stopped_and_threads_change_nothing(
    faces: Path, tmp_path: Path, cache_dir: Path, decoded: list[str]
) -> None:
    def run(name: str, cache: Path, threads: int) -> bytes:
        resources = Resources(cache_dir=cache, threads=threads)
        run_audit(
            faces,
            tmp_path / name,
            config=AuditConfig.of(model="lbp"),
            resources=resources,
            until="embed",
        )
        return (tmp_path / name / "embeddings.npy").read_bytes()

    first = run("one", cache_dir, 1)
    decoded.clear()
    assert run("two", cache_dir, 2) == first
    assert not decoded
    assert run("three", tmp_path / "other", 2) == first


def test_it_says_what_is_missing_and_what_it_is_not(
    monkeypatch: pytest.MonkeyPatch, faces: Path, tmp_path: Path, cache_dir: Path
) -> None:
    for asked in ({"precision": "int8"}, {"device": "cuda"}):
        config = AuditConfig.of(model="lbp", **{k: v for k, v in asked.items() if k != "device"})
        resources = Resources(cache_dir=cache_dir, device=asked.get("device", "cpu"))
        with pytest.raises(ModelError, match="no network"):
            run_audit(faces, tmp_path / "run", config=config, resources=resources)
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(ModelError, match="scikit-image, which is not installed") as caught:
        lbp_model()
    assert "fer-audit[lbp]" in caught.value.hint
