"""Small real things that many tests share: drawn faces, a model whose answer is known, empty places."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

# OpenMP's threads wait by spinning; on two cores that other work shares, that doubles the time of K-Means.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from fer_audit.dataset.sources.files import Files
from fer_audit.dataset.sources.source import ImageSource
from fer_audit.encoders.types import ExportedModel
from fer_audit.pack.types import PackRows
from fer_audit.pack.workers import Decoders
from tests.drawings import draw_faces
from tests.graphs import convolution_graph, mean_colour_graph, save

N_FACES = 24


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Give a folder of 24 drawn faces under UTKFace's names: 5 races, 2 genders, ages 1-80."""
    return draw_faces(tmp_path / "faces", N_FACES)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the ids of the files that were handed to decode processes from here on."""
    seen: list[str] = []
    fill = Decoders.fill

    def watching(self: Decoders, files: ImageSource, pixels: NDArray[np.uint8]) -> PackRows:
        assert isinstance(files, Files)
        seen.extend(files.names)
        return fill(self, files, pixels)

    monkeypatch.setattr(Decoders, "fill", watching)
    return seen


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> ExportedModel:
    """Give an ONNX file whose vector of an image is the image's mean colour."""
    return save(mean_colour_graph(), tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="session")
def convolutions(tmp_path_factory: pytest.TempPathFactory) -> ExportedModel:
    """Give a model whose sums are long enough for their order to show."""
    return save(convolution_graph(), tmp_path_factory.mktemp("conv") / "conv.onnx", dim=48)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """Give the path of a run directory that is not there yet."""
    return tmp_path / "run"


@pytest.fixture
def cache_dir(tmp_path: Path) -> Path:
    """Give the path of a cache that is not there yet; no test touches the user's."""
    return tmp_path / "cache"
