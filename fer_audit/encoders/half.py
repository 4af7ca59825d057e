"""fp32 graph -> fp16 graph with the same input and the same float32 output.

What is large runs in half precision: convolutions and what stands between them. What decides accuracy stays in float32:
the bytes minus their mean, and the mean over the last feature map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_audit.errors import ModelError

if TYPE_CHECKING:
    import onnx

UNIT_ROUNDOFF = 2.0**-11
"""Of IEEE 754 binary16: a normal number is stored with a relative error of at most that."""

LARGEST = 65504.0
"""The largest binary16."""

MOST_LOST = 2 * UNIT_ROUNDOFF
"""Allowed norm of a weight tensor's rounding error, relative to the tensor's: rounding normal numbers stays below
UNIT_ROUNDOFF; what is above comes from weights under 2^-14, which keep fewer bits."""

SHIFT = 2.0**-8
"""Moved from the weights to the input of a convolution fed with bytes, where the weights are too small: 255 / 256 is as exact
in fp16 as 255, and weights 256 times as large are normal numbers again."""

STARTS_HALF = frozenset({"Conv"})
"""Operators that run in fp16 whatever reaches them; cuDNN adds up their products in float32."""

_FLOAT, _FLOAT16 = 1, 10
"""onnx.TensorProto.FLOAT and FLOAT16, without loading it."""

STAYS_HALF = frozenset({"Relu", "Add", "MaxPool", "Clip"})
"""Operators that run in fp16 where an input is fp16. Every other operator is given float32 and runs in float32."""


def to_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph with convolutions, and what follows them up to the pooling, in fp16.

    Subtracting the mean from the bytes stays in float32: 255 - 103.939 has 8 bits before the point and would keep
    3 behind it. So does averaging the last feature map, which makes the output float32.
    Raises ModelError for weights that do not fit into fp16, or lose more than `MOST_LOST` of themselves in it, and for
    a node with a graph inside: what that reads by name is not followed.
    """
    from onnx import checker, helper

    graph = _HalfGraph(model)
    for node in model.graph.node:
        graph.convert(node)
    nodes, old = graph.finished_nodes(), model.graph
    halved = helper.make_model(
        helper.make_graph(nodes, old.name, [*old.input], [*old.output], graph.used_weights()),
        opset_imports=list(model.opset_import),
        ir_version=model.ir_version,
        producer_name="fer-audit",
    )
    checker.check_model(halved, full_check=True)
    return halved


class _HalfGraph:
    def __init__(self, model: onnx.ModelProto) -> None:
        from onnx import numpy_helper

        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self._arrays = {
            name: numpy_helper.to_array(tensor)
            for name, tensor in self._weights.items()
            if tensor.data_type == tensor.FLOAT
        }
        self._outputs = [output.name for output in model.graph.output]
        self._nodes: list[onnx.NodeProto] = []
        self._half: set[str] = set()
        self._casts: set[str] = set()

    def convert(self, node: onnx.NodeProto) -> None:
        """Add a node of the fp32 graph, in the precision it will run in."""
        import onnx

        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise ModelError(
                f"{node.name or 'a node'} is {node.op_type} with a graph inside, which is not converted to fp16",
                hint="Run this model with --precision fp32.",
            )
        runs_half = node.op_type in STARTS_HALF or (
            node.op_type in STAYS_HALF and any(name in self._half for name in node.input)
        )
        new = onnx.NodeProto()
        new.CopyFrom(node)
        if runs_half and node.op_type == "Conv":
            self._shift_small(new)
        cast = self._as_half if runs_half else self._as_float
        new.input[:] = [cast(name, node.name) if name else "" for name in new.input]
        self._nodes.append(new)
        if runs_half:
            self._half.update(node.output)

    def _shift_small(self, conv: onnx.NodeProto) -> None:
        """Give a float32-fed convolution of too small weights larger ones, and an input as much smaller."""
        from onnx import helper, numpy_helper

        x, weight = conv.input[:2]
        array = self._arrays.get(weight)
        if x in self._half or array is None or lost_in_half(array) <= MOST_LOST:
            return
        shifted, factor = f"{x}_shifted", f"{weight}_shift"
        self._weights[factor] = numpy_helper.from_array(np.array(SHIFT, np.float32), factor)
        self._nodes.append(helper.make_node("Mul", [x, factor], [shifted], name=shifted))
        self._arrays[f"{weight}_shifted"] = array / np.float32(SHIFT)
        conv.input[:2] = [shifted, f"{weight}_shifted"]

    def finished_nodes(self) -> list[onnx.NodeProto]:
        """Return the nodes; an output that would be fp16 is computed under another name and cast."""
        late = [name for name in self._outputs if name in self._half]
        for node in self._nodes:
            node.input[:] = [f"{name}_half" if name in late else name for name in node.input]
            node.output[:] = [f"{name}_half" if name in late else name for name in node.output]
        return self._nodes + [_cast(f"{name}_half", name, _FLOAT) for name in late]

    def used_weights(self) -> list[onnx.TensorProto]:
        read = {name for node in self._nodes for name in node.input}
        return [tensor for name, tensor in self._weights.items() if name in read]

    def _as_half(self, name: str, user: str) -> str:
        from onnx import numpy_helper

        if name in self._half:
            return name
        halved = f"{name}_as_half"
        if name not in self._arrays:
            return self._cast_once(name, halved, _FLOAT16)
        if halved not in self._weights:
            array = half_weights(self._arrays[name], f"{name} of {user or 'a convolution'}")
            self._weights[halved] = numpy_helper.from_array(array, halved)
        return halved

    def _as_float(self, name: str, _user: str) -> str:
        return self._cast_once(name, f"{name}_as_float", _FLOAT) if name in self._half else name

    def _cast_once(self, name: str, cast: str, to: int) -> str:
        if cast not in self._casts:
            self._casts.add(cast)
            self._nodes.append(_cast(name, cast, to))
        return cast


def lost_in_half(array: NDArray[np.float32]) -> float:
    """Return the norm of the error of rounding to fp16, relative to the array's; infinite when a number overflows."""
    wide = array.astype(np.float64)
    whole = float(np.linalg.norm(wide))
    with np.errstate(over="ignore"):
        return float(np.linalg.norm(wide - array.astype(np.float16))) / whole if whole else 0.0


def half_weights(array: NDArray[np.float32], name: str) -> NDArray[np.float16]:
    """Return weights rounded to fp16; ModelError names those that overflow, or lose too much below 2^-14."""
    lost = lost_in_half(array)
    if not np.isfinite(lost):
        raise ModelError(
            f"{name} holds a weight of {float(np.abs(array).max()):g}; fp16 ends at {LARGEST:g}",
            hint="Run this model with --precision fp32.",
        )
    if lost > MOST_LOST:
        raise ModelError(
            f"{name} is too small for fp16: it would lose {lost:.1e} of itself, more than {MOST_LOST:.1e}",
            hint="Run this model with --precision fp32, or scale its weights.",
        )
    return array.astype(np.float16)


def _cast(source: str, target: str, to: int) -> onnx.NodeProto:
    from onnx import helper

    return helper.make_node("Cast", [source], [target], name=target, to=to)
