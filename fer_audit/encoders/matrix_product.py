"""Graphs of nothing but large matrix products, in a model's own precision: what a machine can do at most.

They look like any model of ours, uint8 images in and float32 vectors out, so `EmbedSession` runs them as it runs a network.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import Precision
from fer_audit.encoders.sidecar import save_model
from fer_audit.encoders.types import ExportedModel, ModelSpec
from fer_audit.errors import ModelError
from fer_audit.rng import stage_rng

if TYPE_CHECKING:
    import onnx

_OPSET, _IR = 17, 8


def save_matrix_product(
    path: Path, precision: Precision, *, size: int, columns: int, layers: int = 1
) -> ExportedModel:
    """Write the model (batch, size, size, 3) -> (batch, 1) and its sidecar.

    The first layer multiplies (batch, size * size * 3) by (size * size * 3, columns), each further one by
    (columns, columns). Only the largest number of each row is given: fetching them all would be timed too. Raises ModelError for more than one layer in int8, whose sums are 32 bits wide.
    """
    spec = ModelSpec(
        name=f"matrix-product-{precision}",
        task="embed",
        size=size,
        dim=1,
        colour="RGB",
        mean=(0.0, 0.0, 0.0),
        scale=(1.0, 1.0, 1.0),
        weights="seeded random numbers",
        licence="Apache-2.0",
        citation="none",
    )
    graph = matrix_product_graph(precision, size=size, columns=columns, layers=layers)
    return save_model(graph, spec, precision, path)


def matrix_product_graph(
    precision: Precision, *, size: int, columns: int, layers: int = 1
) -> onnx.ModelProto:
    """Return the graph that `save_matrix_product` writes."""
    from onnx import TensorProto, helper, numpy_helper

    if precision == "int8" and layers != 1:
        raise ModelError("products of int8 give int32: they cannot be chained")
    floats = {"fp32": TensorProto.FLOAT, "fp16": TensorProto.FLOAT16}
    nodes = [helper.make_node("Flatten", ["images"], ["flat"], axis=1)]
    weights = []
    name = "flat"
    if precision != "int8":
        nodes.append(helper.make_node("Cast", ["flat"], ["product0"], to=floats[precision]))
        name = "product0"
    for layer in range(1, layers + 1):
        shared = size * size * 3 if layer == 1 else columns
        weight = f"weights{min(layer, 2)}"
        if layer <= 2:
            weights.append(
                numpy_helper.from_array(_weights(precision, shared, columns, weight), weight)
            )
        operator = "MatMulInteger" if precision == "int8" else "MatMul"
        nodes.append(helper.make_node(operator, [name, weight], [f"product{layer}"]))
        name = f"product{layer}"
    if precision == "fp16":  # the largest of floats: no CPU kernel knows the largest of halves
        nodes.append(helper.make_node("Cast", [name], ["floats"], to=TensorProto.FLOAT))
        name = "floats"
    nodes.append(helper.make_node("ReduceMax", [name], ["largest"], axes=[1], keepdims=1))
    nodes.append(helper.make_node("Cast", ["largest"], ["embedding"], to=TensorProto.FLOAT))
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", size, size, 3])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 1])
    graph = helper.make_graph(nodes, "matrix_product", [images], [embedding], weights)
    opsets = [helper.make_opsetid("", _OPSET)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=_IR)


def _weights(precision: Precision, rows: int, columns: int, purpose: str) -> NDArray[Any]:
    """Return (rows, columns) numbers that keep a chain of products within fp16's range."""
    rng = stage_rng(0, "matrix-product", purpose)
    if precision == "int8":
        return rng.integers(-64, 65, (rows, columns), dtype=np.int8)
    scaled = rng.standard_normal((rows, columns), dtype=np.float32)
    scaled /= np.sqrt(np.float32(rows))
    return scaled.astype(np.float16 if precision == "fp16" else np.float32)
