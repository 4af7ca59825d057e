"""Multiply-adds against numbers computed by hand, and against the published ones of ResNet50."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fer_audit.encoders.flops import file_multiply_adds, multiply_adds
from fer_audit.encoders.resnet50 import build_resnet50
from fer_audit.errors import ModelError
from tests.encoders.networks import SIZE, WIDTH, narrow_spec, random_layers
from tests.graphs import convolution_graph, mean_colour_graph, save


def zeros(name: str, *shape: int, kind: type[np.generic] = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.zeros(shape, kind), name)


def chain(
    *nodes: onnx.NodeProto, inputs: tuple[int | str, ...], weights: list[onnx.TensorProto]
) -> onnx.ModelProto:
    """Return a graph from "x" to "y" whose shape nobody states."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, list(inputs))
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(list(nodes), "chain", [x], [y], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_two_convolutions_count_as_by_hand() -> None:
    """Both padded, so 32 x 32 x 48 outputs each: sums over 3 x 3 x 3, then over 48 x 3 x 3."""
    found = multiply_adds(convolution_graph(48))

    assert found == 32 * 32 * 48 * 27 + 32 * 32 * 48 * 48 * 9


def test_a_graph_without_products_has_none() -> None:
    assert multiply_adds(mean_colour_graph()) == 0


def test_strides_groups_and_dilations_count() -> None:
    """Input 8 x 9 x 9; stride 2 without padding: 4 x 4; four groups: each kernel sees two channels."""
    node = helper.make_node("Conv", ["x", "w"], ["y"], strides=[2, 2], group=4)

    found = multiply_adds(
        chain(node, inputs=("batch", 8, 9, 9), weights=[zeros("w", 16, 2, 3, 3)])
    )

    assert found == 16 * 4 * 4 * 2 * 9


@pytest.mark.parametrize(("turned", "shared"), [(0, 7), (1, 1)])
def test_a_gemm_counts_the_axis_it_sums_over(turned: int, shared: int) -> None:
    """A batch of one: (1, 7) x (7, 5), or turned (7, 1) x (1, 5)."""
    node = helper.make_node("Gemm", ["x", "w"], ["y"], transA=turned)
    weights = zeros("w", 1 if turned else 7, 5)

    found = multiply_adds(chain(node, inputs=("batch", 7), weights=[weights]))

    assert found == (7 if turned else 1) * 5 * shared


def test_a_stack_of_matrix_products_counts_each() -> None:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])

    found = multiply_adds(chain(node, inputs=("batch", 6, 10, 4), weights=[zeros("w", 4, 3)]))

    assert found == 6 * 10 * 3 * 4


def test_quantised_weights_count_as_the_plain_ones_do() -> None:
    """int8 models keep Conv, with DequantizeLinear before it."""
    scale, zero = numpy_helper.from_array(np.array(0.1, np.float32), "s"), zeros("z", kind=np.int8)
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["w"]),
        helper.make_node("Conv", ["x", "w"], ["y"]),
    ]
    weights = [zeros("q", 5, 3, 3, 3, kind=np.int8), scale, zero]

    found = multiply_adds(chain(*nodes, inputs=("batch", 3, 10, 10), weights=weights))

    assert found == 5 * 8 * 8 * 27


def test_the_narrow_resnet50_scales_to_the_published_count() -> None:
    """He et al. 2016, table 1, give 3.8e9; every width times 16 and every side times 3.5 is the real network.

    conv1 grows with the width once, every other convolution twice.
    """
    spec = narrow_spec(mean=(0.0, 0.0, 0.0), scale=1.0)
    found = multiply_adds(build_resnet50(random_layers(), spec))
    conv1 = (SIZE // 2) ** 2 * WIDTH * 3 * 49

    real = (224 / SIZE) ** 2 * (64 // WIDTH * conv1 + (64 // WIDTH) ** 2 * (found - conv1))

    assert real == pytest.approx(3.86e9, rel=0.002)


def test_a_shape_that_only_the_run_knows_is_an_error() -> None:
    nodes = [
        helper.make_node("NonZero", ["x"], ["some"]),
        helper.make_node("Cast", ["some"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["w", "floats"], ["y"]),
    ]

    with pytest.raises(ModelError, match="not known before the model runs"):
        multiply_adds(chain(*nodes, inputs=("batch", 4), weights=[zeros("w", 3, 2)]))


def test_work_in_a_subgraph_is_an_error_not_a_zero() -> None:
    value = helper.make_tensor_value_info("v", TensorProto.FLOAT, None)
    branch = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["v"])], "b", [], [value])
    condition = numpy_helper.from_array(np.array(True), "c")
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)

    with pytest.raises(ModelError, match="the work in If"):
        multiply_adds(chain(node, inputs=("batch", 4), weights=[zeros("w", 4, 4), condition]))


def test_a_file_is_counted_and_a_file_that_is_no_model_refused(tmp_path: Path) -> None:
    good = save(convolution_graph(4), tmp_path / "good.onnx", dim=4)
    (tmp_path / "bad.onnx").write_bytes(b"<html>")

    assert file_multiply_adds(good.path) == multiply_adds(onnx.load(good.path))
    with pytest.raises(ModelError, match="not an ONNX file"):
        file_multiply_adds(tmp_path / "bad.onnx")


def test_a_batch_that_the_graph_fixes_counts_one_image() -> None:
    """The graph names its batch; a number there must not multiply the count."""
    fixed = convolution_graph(4)
    fixed.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 32

    assert multiply_adds(fixed) == multiply_adds(convolution_graph(4))
