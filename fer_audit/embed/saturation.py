"""A graph that shows whether a processor adds products of bytes in 16 bits, which overflow.

It is run rather than looked up in a list of processors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

SIZE, COLUMNS = 8, 64
LARGEST_PRODUCT = 255 * 127
EXACT_SUM = SIZE * SIZE * 3 * LARGEST_PRODUCT
"""What white images times the largest weights give when nothing saturates."""


def saturation_graph() -> onnx.ModelProto:
    """Return (batch, SIZE, SIZE, 3) uint8 -> (batch, 1) float: every byte times 127, summed. White must give EXACT_SUM."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.full((SIZE * SIZE * 3, COLUMNS), 127, np.int8)
    nodes = [
        helper.make_node("Flatten", ["images"], ["flat"], axis=1),
        helper.make_node("MatMulInteger", ["flat", "weights"], ["sums"]),
        helper.make_node("Cast", ["sums"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMin", ["floats"], ["embedding"], axes=[1], keepdims=1),
    ]
    graph = helper.make_graph(
        nodes,
        "saturation",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", SIZE, SIZE, 3])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 1])],
        [numpy_helper.from_array(weights, "weights")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
