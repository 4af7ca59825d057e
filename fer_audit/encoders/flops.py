"""How much arithmetic a model is: the multiply-adds of one image, counted from the shapes in its graph.

Only convolutions and matrix products are counted, as papers do; the rest is below 1 % of a ResNet50.
One multiply-add is two FLOP. A padded border counts like any other pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fer_audit.errors import ModelError

if TYPE_CHECKING:
    import onnx

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]

_CONVOLUTIONS = {"Conv": 1, "ConvInteger": 1, "QLinearConv": 3}
"""Operator -> which of its inputs is the kernel (out, in / groups, height, width)."""
_PRODUCTS = {"Gemm", "MatMul", "MatMulInteger", "QLinearMatMul"}
_WITH_GRAPHS = {"If", "Loop", "Scan"}


def file_multiply_adds(path: Path) -> int:
    """Return the multiply-adds of one image through a model file.

    Raises ModelError as `multiply_adds` does, and for a file that is no model.
    """
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as exc:  # protobuf's DecodeError has no typed home
        raise ModelError(f"{path} is not an ONNX file: {exc}") from exc
    return multiply_adds(model)


def multiply_adds(model: onnx.ModelProto) -> int:
    """Return the multiply-adds of one image: the first axis of every input is taken as 1.

    Raises ModelError when a shape that matters is not known before the model runs, or work hides in a subgraph.
    """
    shapes = _shapes_of_one_image(model)
    total = 0
    for node in model.graph.node:
        if node.op_type in _WITH_GRAPHS:
            raise ModelError(f"the work in {node.op_type} {node.name!r} is not known beforehand")
        if node.op_type in _CONVOLUTIONS:
            total += _convolution(node, shapes)
        elif node.op_type in _PRODUCTS:
            total += _product(node, shapes)
    return total


def _convolution(node: onnx.NodeProto, shapes: Shapes) -> int:
    """Every output number is a sum over (in / groups) x height x width of the kernel."""
    kernel = _shape(node.input[_CONVOLUTIONS[node.op_type]], shapes)
    return math.prod(_shape(node.output[0], shapes)) * math.prod(kernel[1:])


def _product(node: onnx.NodeProto, shapes: Shapes) -> int:
    """Every output number is a sum over the axis that the two sides share."""
    left = _shape(node.input[0], shapes)
    turned = any(each.name == "transA" and each.i for each in node.attribute)
    shared = left[0] if turned else left[-1]
    return math.prod(_shape(node.output[0], shapes)) * shared


def _shape(name: str, shapes: Shapes) -> tuple[int, ...]:
    try:
        return shapes[name]
    except KeyError:
        raise ModelError(f"the shape of {name!r} is not known before the model runs") from None


def _shapes_of_one_image(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor that shape inference can tell for a batch of one."""
    import onnx

    single = onnx.ModelProto()
    single.CopyFrom(model)
    for each in single.graph.input:
        each.type.tensor_type.shape.dim[0].dim_value = 1
    for each in [*single.graph.output, *single.graph.value_info]:
        if each.type.tensor_type.HasField(
            "shape"
        ):  # as they were inferred for a batch of any size
            each.type.tensor_type.ClearField("shape")
    infer: Callable[..., onnx.ModelProto] = onnx.shape_inference.infer_shapes
    try:
        inferred = infer(single, data_prop=True)
    except onnx.shape_inference.InferenceError as exc:
        raise ModelError(f"the shapes of the model contradict each other: {exc}") from exc
    shapes = {each.name: tuple(each.dims) for each in single.graph.initializer}
    for each in [*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output]:
        sides = each.type.tensor_type.shape.dim
        if each.type.tensor_type.HasField("shape") and all(x.HasField("dim_value") for x in sides):
            shapes[each.name] = tuple(x.dim_value for x in sides)
    return shapes
