"""An fp16 graph as a device with fp16 convolutions computes it, on a CPU that has none.

onnxruntime's CPU provider runs fp16 nodes in fp32 and drops the roundings between them, so its answer says nothing about
fp16. Here every rounding is written out in fp32 arithmetic: Veltkamp's splitting (T. J. Dekker, Numer. Math. 18, 1971)
rounds a float32 of 24 bits to the 11 bits of binary16. Sums inside a convolution stay fp32, as cuDNN keeps them.
The range of binary16 is not modelled; `largest_activation` says how far away its end is.
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fer_audit.encoders.half import UNIT_ROUNDOFF

SPLITTER = 2.0**13 + 1
"""24 - 11 = 13 bits are rounded away."""


def written_out(half: onnx.ModelProto) -> onnx.ModelProto:
    """Return the fp32 graph in which every fp16 result is rounded by arithmetic."""
    weights = [_widened(tensor) for tensor in half.graph.initializer]
    weights.append(numpy_helper.from_array(np.array(SPLITTER, np.float32), "splitter"))
    is_half = {tensor.name for tensor in half.graph.initializer if _is_half(tensor)}
    nodes: list[onnx.NodeProto] = []
    for node in half.graph.node:
        to = [attribute.i for attribute in node.attribute if attribute.name == "to"]
        widens = node.op_type == "Cast" and node.input[0] in is_half
        rounds = to == [TensorProto.FLOAT16] or any(name in is_half for name in node.input)
        name = node.output[0]
        if widens or not rounds:
            nodes.append(_renamed(node, "Identity") if widens else node)
            continue
        is_half.add(name)
        new = _renamed(node, "Identity" if to else node.op_type)
        new.output[0] = f"{name}_exact"
        nodes += [
            new,
            helper.make_node("Mul", [f"{name}_exact", "splitter"], [f"{name}_big"]),
            helper.make_node("Sub", [f"{name}_big", f"{name}_exact"], [f"{name}_rest"]),
            helper.make_node("Sub", [f"{name}_big", f"{name}_rest"], [name]),
        ]
    graph = helper.make_graph(nodes, "written-out", half.graph.input, half.graph.output, weights)
    return helper.make_model(graph, opset_imports=half.opset_import, ir_version=half.ir_version)


def roundings(half: onnx.ModelProto) -> int:
    """Return how many tensors of an fp16 graph are rounded: weights, inputs, and results that can be inexact."""
    exact = {"Relu", "MaxPool", "Clip"}
    weights = [tensor for tensor in half.graph.initializer if _is_half(tensor)]
    is_half = {tensor.name for tensor in weights}
    count = len(weights)
    for node in half.graph.node:
        to = [attribute.i for attribute in node.attribute if attribute.name == "to"]
        if to == [TensorProto.FLOAT16] or (
            node.op_type != "Cast" and any(name in is_half for name in node.input)
        ):
            is_half.update(node.output)
            count += node.op_type not in exact
    return count


def largest_activation(model: onnx.ModelProto, op_types: tuple[str, ...]) -> onnx.ModelProto:
    """Return the graph with one more output, the largest magnitude any of these operators gives."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    peaks = []
    for number, node in enumerate(model.graph.node):
        if node.op_type in op_types:
            peak = f"peak{number}"
            made.graph.node.append(helper.make_node("Abs", [node.output[0]], [f"{peak}_abs"]))
            made.graph.node.append(
                helper.make_node("ReduceMax", [f"{peak}_abs"], [peak], keepdims=0)
            )
            peaks.append(peak)
    made.graph.node.append(helper.make_node("Max", peaks, ["largest"]))
    made.graph.output.append(helper.make_tensor_value_info("largest", TensorProto.FLOAT, []))
    return made


def tolerance(half: onnx.ModelProto) -> float:
    """Return sqrt(R) u: the relative error of a vector after R independent roundings of unit roundoff u = 2^-11.

    Each rounding moves a tensor by at most u of its norm, in a direction of its own, so R of them add up like a random
    walk. A layer that neither amplifies nor damps relative errors passes them on as they are. R is counted in the graph:
    53 x (weight, bias, result), 16 additions and the input are 176 for ResNet50, which makes 0.0065.
    """
    return float(np.sqrt(roundings(half))) * UNIT_ROUNDOFF


def run(model: onnx.ModelProto, images: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return [np.asarray(found, np.float64) for found in session.run(None, {"images": images})]


def distances(
    found: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for each row, the error relative to the vector's length, and 1 - cosine."""
    lengths = np.linalg.norm(wanted, axis=1)
    error = np.linalg.norm(found - wanted, axis=1) / lengths
    cosine = (found * wanted).sum(axis=1) / (lengths * np.linalg.norm(found, axis=1))
    return error, 1 - cosine


def _is_half(tensor: onnx.TensorProto) -> bool:
    return tensor.data_type == TensorProto.FLOAT16


def _widened(tensor: onnx.TensorProto) -> onnx.TensorProto:
    if not _is_half(tensor):
        return tensor
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)


def _renamed(node: onnx.NodeProto, op_type: str) -> onnx.NodeProto:
    new = onnx.NodeProto()
    new.CopyFrom(node)
    new.op_type = op_type
    if op_type == "Identity":
        del new.attribute[:]
    return new
