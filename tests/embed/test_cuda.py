"""What only a CUDA device can show. Never run where this was written: see the CPU's tests of the same interface."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_audit.embed import session as door
from fer_audit.embed.cuda import device_count
from fer_audit.embed.session import CPU, CUDA, EmbedSession, available_providers, choose_place
from fer_audit.encoders.half import UNIT_ROUNDOFF, to_half
from fer_audit.encoders.resnet50 import build_resnet50
from fer_audit.encoders.sidecar import save_model
from fer_audit.encoders.types import ExportedModel
from tests.encoders.networks import random_layers
from tests.encoders.test_half import KERAS
from tests.graphs import SIZE, convolution_graph, save

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        CUDA not in available_providers() or device_count() == 0, reason="there is no CUDA here"
    ),
]
Models = dict[str, ExportedModel]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Give two convolutions in fp32, and the same in fp16."""
    folder = tmp_path_factory.mktemp("conv")
    whole = save(convolution_graph(), folder / "conv.onnx", dim=48)
    half = save_model(to_half(convolution_graph()), whole.spec, "fp16", folder / "half.onnx")
    return {"fp32": whole, "fp16": half}


@pytest.fixture(scope="module")
def pixels() -> NDArray[np.uint8]:
    """Give 37 noisy images."""
    return np.random.default_rng(2).integers(0, 256, (37, SIZE, SIZE, 3), dtype=np.uint8)


def embed(
    model: ExportedModel, pixels: NDArray[np.uint8], provider: str = CUDA, *, device: int = 0
) -> NDArray[np.float32]:
    session = EmbedSession(model, provider, batch_size=8, device=device)
    return np.concatenate(
        list(session.stream(pixels[start : start + 8] for start in range(0, len(pixels), 8)))
    )


def test_cuda_is_loaded_pinned_and_says_so(models: Models) -> None:
    session = EmbedSession(models["fp16"], CUDA, batch_size=4)

    assert session.provider == CUDA
    assert all(slot.pinned for slot in session._slots)
    assert len(choose_place("cuda:all").devices) == device_count()


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("fp16", 8 * UNIT_ROUNDOFF)])
def test_cuda_agrees_with_the_cpu(
    models: Models, pixels: NDArray[np.uint8], precision: str, tolerance: float
) -> None:
    """Two convolutions are 5 roundings: sqrt(5) u, and 3 for what a random network amplifies, is below 8 u."""
    wanted = embed(models["fp32"], pixels, CPU)

    found = embed(models[precision], pixels)

    error = np.linalg.norm(found - wanted, axis=1) / np.linalg.norm(wanted, axis=1)
    assert error.max() < tolerance


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_buffers_padding_neighbours_and_a_second_session_change_no_bit(
    models: Models, pixels: NDArray[np.uint8], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models[precision]
    wanted = embed(model, pixels)

    again = embed(model, pixels)
    monkeypatch.setattr(door, "IN_FLIGHT", 1)
    alone = embed(model, pixels)
    reordered = embed(model, np.ascontiguousarray(pixels[::-1]))[::-1]

    assert again.tobytes() == alone.tobytes() == wanted.tobytes()
    assert reordered.tobytes() == wanted.tobytes()


def test_every_device_gives_the_same_bits(models: Models, pixels: NDArray[np.uint8]) -> None:
    """Of one kind of card; a mixed machine is allowed to differ in last bits and should not share a run."""
    found = {
        embed(models["fp16"], pixels, device=number).tobytes()
        for number in choose_place("cuda:all").devices
    }

    assert len(found) == 1


def test_resnet50_runs_on_cuda_alone(tmp_path: Path) -> None:
    """Every operator of the halved graph has a CUDA kernel: the session may not fall back for a single one."""
    half = to_half(build_resnet50(random_layers(), KERAS))

    session = EmbedSession(
        save_model(half, KERAS, "fp16", tmp_path / "half.onnx"), CUDA, batch_size=2
    )

    assert session.provider == CUDA
