"""A model that was made for faces in a black square gets them so, and what is around them is no part of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_audit.config import AuditConfig, PackMode, Resources
from fer_audit.encoders.presets import Contract
from fer_audit.encoders.sidecar import save_model
from fer_audit.encoders.types import PADDED, ExportedModel
from fer_audit.pipeline import near_pairs, run_audit
from fer_audit.pipeline.import_model import import_model
from fer_audit.report.files.document import read_result
from tests.drawings import utkface_name
from tests.foreign_graphs import SIZE as DRAWN_SIZE
from tests.foreign_graphs import Drawn
from tests.graphs import MEAN_COLOUR, SIZE, mean_colour_graph, save

N = 12


def in_a_square(image: Image.Image, size: int) -> np.ndarray:
    """Return an image half as wide as high, resized, in the middle of black."""
    square = Image.new("RGB", (size, size))
    part = image.resize((size // 2, size), Image.Resampling.BICUBIC)
    square.paste(part, (size // 4, 0))
    return np.asarray(square)


@pytest.fixture
def narrow(tmp_path: Path) -> Path:
    """Give twelve different patterns of little contrast, half as wide as high: black bars would make them all alike."""
    folder = tmp_path / "faces"
    folder.mkdir()
    patterns = np.random.default_rng(0).integers(115, 140, (N, 14, 7, 3), dtype=np.uint8)
    for number, each in enumerate(patterns):
        image = Image.fromarray(each).resize((48, 96), Image.Resampling.BICUBIC)
        image.save(folder / utkface_name(number), "PNG")
    return folder


@pytest.fixture
def padding(tmp_path: Path) -> ExportedModel:
    """Give the model of mean colours that wants squares."""
    spec = dataclasses.replace(MEAN_COLOUR, padded=True)
    return save_model(mean_colour_graph(), spec, "fp32", tmp_path / "models" / "padding.onnx")


@pytest.mark.parametrize(("pack", "most"), [("on", 50_000), ("off", 50_000), ("off", 0)])
def test_vectors_are_of_squares_and_no_two_faces_are_alike_for_their_bars(
    narrow: Path,
    padding: ExportedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pack: PackMode,
    most: int,
) -> None:
    monkeypatch.setattr(near_pairs, "MOST_PIXELS", most)
    out = tmp_path / "run"
    config = AuditConfig.of(
        model=str(padding.path), k=2, starts=1, sweep_max=2, permutations=9, bootstraps=9, replay=0
    )

    run = run_audit(
        narrow, out, config=config, resources=Resources(cache_dir=tmp_path / "cache", pack=pack)
    )

    squares = [in_a_square(Image.open(narrow / name), SIZE) for name in run.dataset.ids]
    vectors = np.load(out / "embeddings.npy")
    assert np.allclose(vectors, np.mean(squares, axis=(1, 2)), atol=1e-3)
    result = read_result(out / "result.json")
    assert result.near_duplicates is not None
    assert (result.near_duplicates.compared, result.near_duplicates.groups) == (N, 0)
    assert not (out / "lists/near_duplicates.csv").exists()


def test_the_same_network_fed_otherwise_is_another_model(
    padding: ExportedModel, tmp_path: Path
) -> None:
    stretching = save(mean_colour_graph(), tmp_path / "models" / "stretching.onnx")

    assert stretching.sha256 != padding.sha256


def test_an_imported_model_is_shown_its_image_in_a_square_and_says_so(
    narrow: Path, tmp_path: Path
) -> None:
    Drawn().save(tmp_path / "given.onnx")
    asked = Contract(colour="RGB", mean=(100.0,), scale=(1 / 64,), task="embed", padded=True)
    image = narrow / utkface_name(0)

    done = import_model(
        tmp_path / "given.onnx", asked, name="mine", models_dir=tmp_path / "models", image=image
    )

    square = in_a_square(Image.open(image), DRAWN_SIZE)[None]
    wanted = Drawn().answers(square, colour="RGB", mean=(100.0,) * 3, scale=(1 / 64,) * 3)
    assert np.allclose(done.preview, wanted[0], atol=1e-4 * np.abs(wanted).max())
    assert done.model.spec.padded
    assert done.model.spec.caveat == PADDED
    assert PADDED in done.understood
