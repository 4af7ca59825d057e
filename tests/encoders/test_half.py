"""fp16: what is halved, what is not, what is refused, and how far the vectors move, with the reason for the tolerance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fer_audit.config import Resources
from fer_audit.embed.session import CPU, EmbedSession
from fer_audit.encoders.catalog import IMAGENET_BGR_MEAN
from fer_audit.encoders.export import find_or_export
from fer_audit.encoders.half import LARGEST, UNIT_ROUNDOFF, half_weights, lost_in_half, to_half
from fer_audit.encoders.resnet50 import build_resnet50
from fer_audit.encoders.sidecar import check_graph, load_model, save_model
from fer_audit.encoders.types import ModelSpec
from fer_audit.errors import ModelError
from fer_audit.progress import Silent
from tests.encoders.networks import SIZE, narrow_spec, random_layers
from tests.encoders.rounding import distances, roundings, run, tolerance, written_out
from tests.graphs import convolution_graph, make_graph, mean_colour_graph, save

KERAS = narrow_spec("BGR", mean=IMAGENET_BGR_MEAN, scale=1.0)
PAPER = narrow_spec("RGB", mean=(0.0, 0.0, 0.0), scale=1 / 255)

AMPLIFIED = 3.0
"""A random network passes a relative error on with up to 1.8 times its size (three seeds, two preprocessings)."""


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    """Give six noisy images."""
    return np.random.default_rng(1).integers(0, 256, (6, SIZE, SIZE, 3), dtype=np.uint8)


def types_of(model: onnx.ModelProto) -> dict[str, set[int]]:
    """Return the element types every operator of a graph gives, as onnx infers them."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    types = {info.name: info.type.tensor_type.elem_type for info in inferred.value_info}
    types |= {info.name: info.type.tensor_type.elem_type for info in inferred.output}
    found: dict[str, set[int]] = {}
    for node in model.graph.node:
        if node.op_type != "Cast":
            found.setdefault(node.op_type, set()).add(types[node.output[0]])
    return found


def test_convolutions_are_fp16_and_the_mean_of_bytes_and_of_the_last_map_are_fp32() -> None:
    half = to_half(build_resnet50(random_layers(), KERAS))

    types = types_of(half)
    for op in ("Conv", "Relu", "Add", "MaxPool"):
        assert types[op] == {TensorProto.FLOAT16}, op
    for op in ("Sub", "GlobalAveragePool", "Flatten"):
        assert types[op] == {TensorProto.FLOAT}, op
    weights = {tensor.data_type for tensor in half.graph.initializer if tensor.name != "mean"}
    assert weights == {TensorProto.FLOAT16}


def test_input_and_output_are_those_of_the_fp32_graph_and_nothing_foreign_is_in_it(
    tmp_path: Path, images: NDArray[np.uint8]
) -> None:
    whole = build_resnet50(random_layers(), KERAS)
    half = to_half(whole)
    model = save_model(half, KERAS, "fp16", tmp_path / "half.onnx")

    check_graph(model)

    assert list(half.graph.input) == list(whole.graph.input)
    assert list(half.graph.output) == list(whole.graph.output)
    vectors = EmbedSession(load_model(model.path), CPU, batch_size=6).embed(images)
    assert vectors.dtype == np.float32
    assert not half.graph.value_info


@pytest.mark.parametrize("spec", [KERAS, PAPER])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_vectors_move_by_no_more_than_the_roundings_allow(
    spec: ModelSpec, seed: int, images: NDArray[np.uint8]
) -> None:
    whole = build_resnet50(random_layers(seed), spec)
    half = to_half(whole)

    (found,), (wanted,) = run(written_out(half), images), run(whole, images)

    error, _ = distances(found, wanted)
    assert roundings(half) == 176
    assert error.max() < AMPLIFIED * tolerance(half)
    assert error.min() > UNIT_ROUNDOFF / 100, (
        "nothing was rounded: the test compares fp32 with fp32"
    )


def test_one_convolution_is_rounded_exactly_as_numpy_rounds_it() -> None:
    """The oracle of `written_out`: a 1x1 convolution of small whole numbers, by hand in numpy's float16."""
    weight = np.array([[1 / 3, 0.1, 7.77], [2e-3, -3.3, 0.5]], np.float32).reshape(2, 3, 1, 1)
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["nchw", "w"], ["c"]),
        helper.make_node("ReduceMax", ["c"], ["embedding"], axes=[2, 3], keepdims=0),
    ]
    graph = make_graph(nodes, dim=2, weights=[numpy_helper.from_array(weight, "w")])
    pixels = np.zeros((1, 32, 32, 3), np.uint8)
    pixels[:] = (200, 3, 77)

    (found,) = run(written_out(to_half(graph)), pixels)

    rounded = weight[:, :, 0, 0].astype(np.float16).astype(np.float64)
    wanted = (rounded @ np.array([200.0, 3.0, 77.0])).astype(np.float16)
    assert found[0].tolist() == wanted.astype(np.float64).tolist()


def test_an_output_that_would_be_fp16_is_cast_under_its_own_name(
    images: NDArray[np.uint8], tmp_path: Path
) -> None:
    graph = convolution_graph()
    graph.graph.node[-1].output[0] = "flat"
    del graph.graph.node[-2:]
    graph.graph.node.append(
        helper.make_node("MaxPool", ["c2"], ["embedding"], kernel_shape=[1, 1])
    )
    graph.graph.output[0].type.tensor_type.shape.dim.add()
    graph.graph.output[0].type.tensor_type.shape.dim.add()

    half = to_half(graph)

    assert half.graph.node[-1].op_type == "Cast"
    assert half.graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT
    small = np.ascontiguousarray(images[:2, :32, :32])
    assert np.allclose(run(half, small)[0], run(graph, small)[0], rtol=0.02, atol=0.5)


def test_a_bias_that_comes_through_an_operator_is_cast(images: NDArray[np.uint8]) -> None:
    """The exporter of torch shares equal biases through Identity."""
    graph = convolution_graph()
    bias = numpy_helper.from_array(np.linspace(-1, 1, 48, dtype=np.float32), "b")
    graph.graph.initializer.append(bias)
    graph.graph.node.insert(0, helper.make_node("Identity", ["b"], ["b_shared"]))
    next(node for node in graph.graph.node if node.op_type == "Conv").input.append("b_shared")

    half = to_half(graph)

    small = np.ascontiguousarray(images[:, :32, :32])
    error, _ = distances(run(half, small)[0], run(graph, small)[0])
    assert error.max() < AMPLIFIED * tolerance(half)


def test_a_graph_without_convolutions_stays_as_it_is() -> None:
    graph = mean_colour_graph()

    assert list(to_half(graph).graph.node) == list(graph.graph.node)


def test_a_graph_inside_a_node_is_refused() -> None:
    """It reads weights and tensors of the outer graph by name, which no input of the node tells."""
    graph = convolution_graph()
    branches = {
        name: helper.make_graph(
            [helper.make_node("Conv", ["nchw", "w1"], [f"{name}_c1"], pads=[1, 1, 1, 1])],
            name,
            [],
            [helper.make_tensor_value_info(f"{name}_c1", TensorProto.FLOAT, None)],
        )
        for name in ("then_branch", "else_branch")
    }
    graph.graph.initializer.append(numpy_helper.from_array(np.array(True), "always"))
    place = next(i for i, node in enumerate(graph.graph.node) if node.op_type == "Conv")
    graph.graph.node[place].CopyFrom(
        helper.make_node("If", ["always"], ["c1"], name="choice", **branches)
    )
    onnx.checker.check_model(graph, full_check=True)

    with pytest.raises(ModelError, match="choice is If with a graph inside") as caught:
        to_half(graph)

    assert "--precision fp32" in caught.value.hint


def test_weights_that_overflow_or_vanish_are_refused_by_name() -> None:
    assert half_weights(np.array([LARGEST], np.float32), "w")[0] == np.float16(LARGEST)
    assert not half_weights(np.zeros(3, np.float32), "w").any()
    with pytest.raises(ModelError, match=r"w holds a weight of 70000; fp16 ends at 65504"):
        half_weights(np.array([1.0, 7e4], np.float32), "w")
    with pytest.raises(ModelError, match="w is too small for fp16"):
        half_weights(np.full(9, 1.23e-6, np.float32), "w")


def test_normal_weights_lose_less_than_the_unit_roundoff() -> None:
    rng = np.random.default_rng(0)

    lost = [lost_in_half(rng.normal(0, scale, 5000).astype(np.float32)) for scale in (0.01, 1, 99)]

    assert max(lost) < UNIT_ROUNDOFF


def test_a_scale_inside_the_first_weights_moves_to_the_input_where_it_makes_them_too_small() -> (
    None
):
    """RGB / 255 is folded into conv1: weights near 1e-5 would keep 6 bits. A power of two is moved back, exactly."""
    halves = {
        spec.scale[0]: to_half(build_resnet50(random_layers(), spec)) for spec in (KERAS, PAPER)
    }
    small = narrow_spec("RGB", mean=(0.0, 0.0, 0.0), scale=1 / 25500)

    moved = to_half(build_resnet50(random_layers(), small))

    ops = {scale: [node.op_type for node in half.graph.node] for scale, half in halves.items()}
    assert "Mul" not in ops[1.0]
    assert "Mul" in [node.op_type for node in moved.graph.node]
    weight = next(t for t in moved.graph.initializer if t.name.startswith("conv1_weight_shifted"))
    whole = next(
        t
        for t in build_resnet50(random_layers(), small).graph.initializer
        if t.name == "conv1_weight"
    )
    wanted = (numpy_helper.to_array(whole) * np.float32(256)).astype(np.float16)
    assert np.array_equal(numpy_helper.to_array(weight), wanted)


def test_a_file_of_another_precision_than_asked_for_is_refused(tmp_path: Path) -> None:
    model = save(mean_colour_graph(), tmp_path / "mine.onnx")

    def find(precision: str) -> object:
        return find_or_export(
            str(model.path),
            precision,  # type: ignore[arg-type]  # as it comes from the command line
            Resources(models_dir=tmp_path, cache_dir=tmp_path),
            Silent(),
        )

    assert find("fp32") == model
    with pytest.raises(ModelError, match="is fp32, --precision asks for fp16"):
        find("fp16")
