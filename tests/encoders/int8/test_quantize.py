"""int8: what becomes integer, what stays float, that no sum saturates, and how far the vectors move, with the reason why."""

from __future__ import annotations

import collections
import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from fer_audit.config import Precision
from fer_audit.embed.saturation import EXACT_SUM, saturation_graph
from fer_audit.embed.saturation import SIZE as WHITE_SIZE
from fer_audit.embed.session import CPU, EmbedSession
from fer_audit.encoders.int8.calibrate import (
    SMALLEST,
    STRENGTH,
    ChannelStatistics,
    equalize,
    read_statistics,
    statistics_graph,
)
from fer_audit.encoders.int8.network import Network
from fer_audit.encoders.int8.quantize import (
    FULL_RANGE,
    LEVELS,
    REDUCED_RANGE,
    activation_ranges,
    quantize,
)
from fer_audit.encoders.resnet50 import build_resnet50
from fer_audit.encoders.sidecar import check_graph, save_model
from fer_audit.errors import ModelError
from fer_audit.pipeline.quantized import relative_error
from tests.encoders.networks import SIZE, narrow_spec, random_layers
from tests.graphs import mean_colour_graph

SPEC = narrow_spec("RGB", mean=(0.0, 0.0, 0.0), scale=1 / 255)
IMAGES = 24
Statistics = dict[str, ChannelStatistics]


@pytest.fixture(scope="module")
def network() -> Network:
    """Give the narrow ResNet50: 53 convolutions."""
    return Network(build_resnet50(random_layers(), SPEC))


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    """Give images of coarse blots, as unlike each other as a random network can tell."""
    rng = np.random.default_rng(1)
    blots = rng.integers(0, 256, (IMAGES, 4, 4, 3)) * rng.uniform(0, 1, (IMAGES, 1, 1, 3)) ** 2
    return np.kron(blots, np.ones((1, SIZE // 4, SIZE // 4, 1))).astype(np.uint8)


@pytest.fixture(scope="module")
def statistics(
    network: Network, images: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory
) -> Statistics:
    graph, width = statistics_graph(network)
    path = tmp_path_factory.mktemp("statistics") / "statistics.onnx"
    rows = vectors(graph, images, path, width=width)
    return read_statistics(network, [rows])


def vectors(
    graph: onnx.ModelProto,
    images: NDArray[np.uint8],
    path: Path,
    *,
    width: int | None = None,
    precision: Precision = "fp32",
    reduced_range: bool = False,
) -> NDArray[np.float32]:
    """Run a graph as the pipeline runs models."""
    spec = SPEC if width is None else dataclasses.replace(SPEC, dim=width)
    model = save_model(graph, spec, precision, path, reduced_range=reduced_range)
    session = EmbedSession(model, CPU, batch_size=8, threads=1)
    found = [session.embed(images[i : i + 8]).copy() for i in range(0, len(images), 8)]
    return np.concatenate(found)


def test_statistics_are_those_of_every_channel_over_all_images(
    network: Network, statistics: Statistics, images: NDArray[np.uint8], tmp_path: Path
) -> None:
    """The embedding is the mean of the last tensor over its positions."""
    embedding = vectors(network.model, images, tmp_path / "float.onnx")
    last = statistics["conv5_block3_add_relu"]
    assert np.abs(last.mean - embedding.mean(axis=0)).max() < 1e-5 * embedding.max()
    assert (last.low >= 0).all()
    assert (last.high >= embedding.max(axis=0)).all()


def test_equalizing_changes_no_vector_and_brings_the_channels_together(
    network: Network, statistics: Statistics, images: NDArray[np.uint8], tmp_path: Path
) -> None:
    even = equalize(network, statistics)
    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    for tensor in model.graph.initializer:
        values = even.weights[tensor.name].astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    before = vectors(network.model, images, tmp_path / "before.onnx")
    after = vectors(model, images, tmp_path / "after.onnx")
    factors = even.factors["conv5_block3_add_relu"].astype(np.float32)
    assert np.abs(after * factors - before).max() < 1e-4 * np.abs(before).max()
    name = "conv3_block2_1_relu"  # read by one convolution, made by another: a group of its own
    firing = statistics[name].high > SMALLEST * statistics[name].high.max()
    apart = [np.ptp(np.log(found[name].high[firing])) for found in (statistics, even.statistics)]
    assert firing.sum() > 1
    assert apart[1] == pytest.approx((1 - STRENGTH) * apart[0])


@pytest.mark.parametrize(("reduced", "most"), [(False, 0.18), (True, 0.25)])
def test_the_vectors_move_by_what_rounding_explains(
    reduced: bool,
    most: float,
    network: Network,
    statistics: Statistics,
    images: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    """Rounding to 255 steps of a range of 8 standard deviations adds (8 / 255)^2 / 12 = 8e-5 of a tensor's variance.

    68 tensors: 0.6 %. Weights on +-127 with a maximum of 4 deviations add (4 / 127)^2 / 12 = 8e-5 in each of 52 layers: 0.4 %;
    on +-63 four times that, 1.7 %. A random network passes an error on with up to 1.8 times its size, so the vectors are off by
    at most 1.8 x sqrt(1.0 %) = 0.18 and 1.8 x sqrt(2.3 %) = 0.27 of their length; measured 0.13 and 0.20.
    One vector for everybody would be off by 0.265 of it: the bounds stay below.
    """
    graph = quantize(network, statistics, reduced_range=reduced)
    plain = vectors(network.model, images, tmp_path / "float.onnx")
    rounded = vectors(
        graph, images, tmp_path / "int8.onnx", precision="int8", reduced_range=reduced
    )
    assert np.linalg.norm(rounded - plain) < most * np.linalg.norm(plain)
    assert relative_error(plain, rounded) < 1


@pytest.mark.parametrize("reduced", [False, True])
def test_weights_keep_to_their_range_and_biases_to_32_bits(
    reduced: bool, network: Network, statistics: Statistics
) -> None:
    graph = quantize(network, statistics, reduced_range=reduced).graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = [x for name, x in arrays.items() if name.endswith("_weight_integers")]
    assert len(weights) == 52
    largest = {int(np.abs(x.astype(int)).max()) for x in weights}
    assert largest == {REDUCED_RANGE if reduced else FULL_RANGE}
    assert all(x.dtype == np.int8 for x in weights)
    assert all(x.dtype == np.int32 for n, x in arrays.items() if n.endswith("_bias_integers"))
    pair = 2 * LEVELS * REDUCED_RANGE  # two products of the reduced range fit into 16 bits
    assert pair < 2**15 <= 2 * LEVELS * (REDUCED_RANGE + 2) < 2 * LEVELS * FULL_RANGE


def test_onnxruntime_fuses_every_convolution_but_the_first(
    network: Network, statistics: Statistics, tmp_path: Path
) -> None:
    import onnxruntime as ort

    graph = quantize(network, statistics, reduced_range=True)
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    ort.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = collections.Counter(
        node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node
    )
    assert found["QLinearConv"] == 52
    assert found["Conv"] + found["FusedConv"] == 1
    assert found["QLinearAdd"] == 15, "all sums but the last"


def test_nothing_foreign_is_in_the_graph_and_the_same_statistics_give_the_same_bytes(
    network: Network, statistics: Statistics, tmp_path: Path
) -> None:
    graph, again = (quantize(network, statistics, reduced_range=False) for _ in range(2))

    assert graph.SerializeToString() == again.SerializeToString()
    check_graph(save_model(graph, SPEC, "int8", tmp_path / "int8.onnx"))
    assert {node.domain for node in graph.graph.node} == {""}


def test_a_summand_needs_no_room_below_what_the_other_can_lift_above_zero(
    network: Network, statistics: Statistics
) -> None:
    """relu(a + b) is 0 for every a <= -max(b): the brute force of it, and that the room is really smaller."""
    ranges = activation_ranges(network, statistics)
    low, high = ranges["conv3_block2_3"]
    other = statistics["conv3_block1_add_relu"].high.max()
    assert low == max(statistics["conv3_block2_3"].low.min(), -other)
    a = np.linspace(-3 * other, high, 1001)
    for b in np.linspace(0, other, 11):
        clipped = np.maximum(a, -other)
        assert np.array_equal(np.maximum(a + b, 0), np.maximum(clipped + b, 0))


def test_full_range_weights_never_saturate_whatever_the_processor(tmp_path: Path) -> None:
    """Where sums of products have 16 bits, a session of full-range weights takes other kernels."""
    spec = dataclasses.replace(SPEC, size=WHITE_SIZE, dim=1)
    model = save_model(saturation_graph(), spec, "int8", tmp_path / "sums.onnx")
    white = np.full((16, WHITE_SIZE, WHITE_SIZE, 3), 255, np.uint8)
    found = EmbedSession(model, CPU, batch_size=16).embed(white)
    assert (found == EXACT_SUM).all()


def test_a_network_without_convolutions_is_refused() -> None:
    with pytest.raises(ModelError, match="no convolutions"):
        _ = Network(mean_colour_graph()).convolutions
