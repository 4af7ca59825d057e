"""Checks of a model file before onnxruntime loads it, because a model file is code.

A model that passes can still ask for more time and memory than a machine has: a graph can make large tensors of small
numbers. That is a reason to run models of people one trusts, and no reason to run the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fer_audit.encoders.types import ExportedModel, ModelSpec
from fer_audit.errors import ModelError

if TYPE_CHECKING:
    import onnx

IMPORT_HINT = "A model of another shape is made ours with: fer-audit models add {}"

MOST_PARTS = 100_000
"""Nodes, and tensors, of a graph and the graphs inside it. ResNet50 has 126 nodes and 107 tensors, a large
transformer some thousands."""

MOST_NUMBERS = 2_000_000_000
"""That one tensor may declare: with a byte each it would fill the largest file. Declared is not yet there: a file of
40 bytes can declare more than any memory holds."""


def check_graph(model: ExportedModel) -> onnx.ModelProto:
    """Return the graph of a file whose bytes are those that `load_model` found, and hold nothing but a plain graph.

    Plain: no data in other files, no operators or functions of its own, no more parts than a network needs, and the
    input and output that the sidecar promises. Everything else is a ModelError.
    onnxruntime is not needed, and gets the same bytes (`EmbedSession`).
    """
    graph = parsed(model.read(), model.path)
    refuse_foreign_parts(graph, model.path)
    _refuse_other_signature(graph.graph, model.path, model.spec)
    return graph


def parsed(data: bytes, path: Path) -> onnx.ModelProto:
    """Return what an ONNX file holds; ModelError for bytes that are none."""
    import onnx

    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as exc:  # protobuf's DecodeError has no typed home
        raise ModelError(f"{path} is not an ONNX file: {exc}") from exc
    return model


def refuse_foreign_parts(model: onnx.ModelProto, path: Path) -> None:
    """Raise ModelError for anything but a plain graph of standard operators that holds its own weights."""
    import onnx

    if model.functions:
        raise ModelError(f"{path} brings functions of its own, which are refused")
    graphs = [model.graph]
    nodes = tensors = 0
    while graphs:
        graph = graphs.pop()
        nodes += len(graph.node)
        for tensor in _tensors(graph):
            tensors += 1
            if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
                raise ModelError(f"{path} keeps {tensor.name!r} in another file, which is refused")
            _refuse_large(tensor.name, tensor.dims, path)
        for sparse in graph.sparse_initializer:
            _refuse_large(sparse.values.name, sparse.dims, path)
        for node in graph.node:
            if node.domain not in {"", "ai.onnx"}:
                raise ModelError(
                    f"{path} uses the custom operator {node.domain}::{node.op_type}",
                    hint="Only standard ONNX operators are run.",
                )
            for attribute in node.attribute:
                graphs += [attribute.g] if attribute.HasField("g") else []
                graphs += attribute.graphs
        if max(nodes, tensors) > MOST_PARTS:
            raise ModelError(f"{path} has more than {MOST_PARTS:,} nodes or tensors")
    if not model.graph.node:
        raise ModelError(f"{path} holds no graph")


def _refuse_large(name: str, dims: Iterable[int], path: Path) -> None:
    shape = tuple(dims)
    if any(side < 0 for side in shape) or math.prod(shape) > MOST_NUMBERS:
        raise ModelError(
            f"{path} declares {name!r} with the shape {list(shape)}, which is refused"
        )


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Yield every tensor a graph carries: weights, sparse weights, and those in attributes."""
    yield from graph.initializer
    sparse = list(graph.sparse_initializer)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            sparse += [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
            sparse += attribute.sparse_tensors
    for tensor in sparse:
        yield tensor.values
        yield tensor.indices


def _refuse_other_signature(graph: onnx.GraphProto, path: Path, spec: ModelSpec) -> None:
    """Refuse an input or output that is declared otherwise; `EmbedSession` compares what onnxruntime infers."""
    import onnx

    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    size, dim = spec.size, spec.dim
    if (
        len(inputs) != 1
        or inputs[0].type.tensor_type.elem_type != onnx.TensorProto.UINT8
        or sides_of(inputs[0]) not in (None, [spec.batch, size, size, 3])
    ):
        raise ModelError(
            f"{path} takes {words_of(inputs)}; it must take one uint8 ({spec.batch or 'batch'}, {size}, {size}, 3)"
            + ("" if spec.batch else ", the batch of any size"),
            hint=IMPORT_HINT.format(path),
        )
    outputs = list(graph.output)
    sides = sides_of(outputs[0]) if outputs else None
    if (
        not outputs
        or outputs[0].type.tensor_type.elem_type not in (0, onnx.TensorProto.FLOAT)
        or (sides is not None and (len(sides) != 2 or sides[1] not in (None, dim)))
    ):
        raise ModelError(
            f"{path} gives {words_of(outputs[:1])}; the sidecar says float (batch, {dim})",
            hint="Export it again with: fer-audit export --force",
        )


def sides_of(value: onnx.ValueInfoProto) -> list[int | None] | None:
    """Return the declared shape, None for a side of any length; None when no shape is declared."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return [side.dim_value if side.HasField("dim_value") else None for side in tensor.shape.dim]


def words_of(values: Sequence[onnx.ValueInfoProto]) -> str:
    """Return e.g. 'images' UINT8 [None, 224, 224, 3]."""
    import onnx

    named = {number: name for name, number in onnx.TensorProto.DataType.items()}
    declared = []
    for value in values:
        kind = named.get(value.type.tensor_type.elem_type, "of no known type")
        declared.append(f"{value.name!r} {kind} {sides_of(value) or ''}".rstrip())
    return ", ".join(declared) or "nothing"
