"""An ONNX network of convolutions in a form that can be rewritten: makers and readers of tensors, groups of channels."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_audit.errors import ModelError

if TYPE_CHECKING:
    import onnx

CHANNELWISE = frozenset({"Relu", "Add", "MaxPool"})
"""Operators that keep channels apart, and give twice as much when they are fed twice as much."""

LEAST_OPSET = 13
"""The first with a step a channel in DequantizeLinear."""


class Network:
    """The nodes and weights of a model, by tensor name, in a plain form of its own. The model itself is not changed.

    Plain: every node has a name, constants are initializers, a convolution has a bias of its own, and
    where a ReLU and a max-pool follow each other the max-pool comes first.
    Raises ModelError for a model older than opset 13, or with graphs inside its nodes.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        from onnx import numpy_helper

        self.opset = next(
            (x.version for x in model.opset_import if x.domain in {"", "ai.onnx"}), 0
        )
        if self.opset < LEAST_OPSET:
            raise ModelError(
                f"The model is of opset {self.opset}; int8 needs at least {LEAST_OPSET}",
                hint="Export it again with a newer opset, or use --precision fp32.",
            )
        self.model = _plain(model)
        self.nodes = list(self.model.graph.node)
        self.outputs = {value.name for value in self.model.graph.output}
        self.weights: dict[str, NDArray[np.float64]] = {
            tensor.name: numpy_helper.to_array(tensor).astype(np.float64)
            for tensor in self.model.graph.initializer
            if tensor.data_type == tensor.FLOAT
        }
        self.maker = {name: node for node in self.nodes for name in node.output}
        self.readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in self.nodes:
            for name in node.input:
                self.readers[name].append(node)

    def is_plain_convolution(self, node: onnx.NodeProto) -> bool:
        """Whether a node is a convolution over two dimensions, of all channels, by weights of its own."""
        return (
            node.op_type == "Conv"
            and len(node.input) == 3
            and all(name in self.weights for name in node.input[1:])
            and self.weights[node.input[1]].ndim == 4
            and next((a.i for a in node.attribute if a.name == "group"), 1) == 1
        )

    @cached_property
    def features(self) -> dict[str, int]:
        """Tensor -> channels, of all that plain convolutions make and channelwise operators make of nothing else."""
        found: dict[str, int] = {}
        for node in self.nodes:
            if self.is_plain_convolution(node):
                found[node.output[0]] = len(self.weights[node.input[1]])
            elif node.op_type in CHANNELWISE and all(name in found for name in node.input):
                channels = {found[name] for name in node.input}
                if len(channels) == 1 and len(node.output) == 1:
                    found[node.output[0]] = channels.pop()
        return found

    def is_channelwise(self, node: onnx.NodeProto) -> bool:
        """Whether a node passes the scale of its channels on."""
        return node.op_type in CHANNELWISE and node.output[0] in self.features

    @cached_property
    def convolutions(self) -> list[onnx.NodeProto]:
        """The convolutions that become integer, in order: the plain ones that read features.

        The others read the image, three colours: little work, much to lose.
        Raises ModelError when there is none: such a network gains nothing here.
        """
        found = [
            node
            for node in self.nodes
            if self.is_plain_convolution(node) and node.input[0] in self.features
        ]
        if not found:
            raise ModelError(
                "The model has no convolutions that could be quantized",
                hint="Use --precision fp32.",
            )
        return found

    def is_read_once(self, name: str) -> bool:
        """Whether exactly one node reads a tensor, once, and it is no output of the graph."""
        return len(self.readers[name]) == 1 and name not in self.outputs

    @cached_property
    def quantized(self) -> list[str]:
        """The tensors that pass from one integer operator to the next, in the order they are made."""
        wanted = {node.input[0] for node in self.convolutions}
        for made in (node.output[0] for node in self.convolutions):
            reader = self.readers[made][0] if self.is_read_once(made) else None
            wanted.add(reader.output[0] if reader and reader.op_type == "Relu" else made)
        return [name for node in self.nodes for name in node.output if name in wanted]

    def channel_groups(self) -> list[list[str]]:
        """Return the features in groups: those whose channels cannot be scaled apart from each other."""
        parent = {name: name for name in self.features}

        def root(name: str) -> str:
            while parent[name] != name:
                name = parent[name]
            return name

        for node in self.nodes:
            if self.is_channelwise(node):
                for name in node.input:
                    parent[root(name)] = root(node.output[0])
        groups: dict[str, list[str]] = defaultdict(list)
        for name in parent:
            groups[root(name)].append(name)
        return list(groups.values())


def _plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy in the form that `Network` promises; it computes the same."""
    import onnx
    from onnx import numpy_helper

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    nodes = []
    for node in graph.node:
        if any(a.HasField("g") or a.graphs for a in node.attribute):
            raise ModelError(
                f"The model has a {node.op_type} node with a graph inside, which int8 does not know",
                hint="Use --precision fp32.",
            )
        value = next((a.t for a in node.attribute if a.name == "value"), None)
        if node.op_type == "Constant" and value is not None:
            tensor = graph.initializer.add()
            tensor.CopyFrom(value)
            tensor.name = node.output[0]
        else:
            nodes.append(node)
    names = Counter(node.name for node in nodes)
    for i, node in enumerate(nodes):
        if not node.name or names[node.name] > 1:
            node.name = f"node_{i}"
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    reads = Counter(name for node in nodes for name in node.input)
    for node in nodes:
        if node.op_type != "Conv" or node.input[1] not in tensors:
            continue
        if len(node.input) == 2:
            bias = np.zeros(tensors[node.input[1]].dims[0], np.float32)
            name = f"{node.output[0]}_no_bias"
            graph.initializer.append(numpy_helper.from_array(bias, name))
            node.input.append(name)
        for i in (1, 2):
            name = node.input[i]
            if reads[name] > 1 and name in tensors:
                own = graph.initializer.add()
                own.CopyFrom(tensors[name])
                own.name = f"{name}_of_{node.output[0]}"
                node.input[i] = own.name
    kept = [copied(node) for node in nodes]  # the list below is emptied under them
    del graph.node[:]
    graph.node.extend(_with_max_pools_first(kept, {value.name for value in graph.output}))
    del graph.value_info[:]  # of tensors that may be gone
    return copy


def _with_max_pools_first(nodes: list[onnx.NodeProto], outputs: set[str]) -> list[onnx.NodeProto]:
    """Return the nodes with every MaxPool(Relu(x)) whose ReLU has no other reader written as Relu(MaxPool(x)).

    Both keep the order of numbers, so the values are the same. onnxruntime moves a QuantizeLinear in front of a max-pool
    it directly follows, and its 8-bit max-pool of a float convolution's output is slow: with the ReLU in between it stays.
    """
    reads = Counter(name for node in nodes for name in node.input)
    maker: dict[str, onnx.NodeProto] = {}
    placed: dict[str, onnx.NodeProto] = {}
    for node in nodes:
        relu = maker.get(node.input[0]) if _is_dense_max_pool(node) else None
        placed[node.name] = node
        if relu is not None and relu.op_type == "Relu":
            between = relu.output[0]
            if reads[between] == 1 and between not in outputs:
                pooled, reordered = node.output[0], f"{node.output[0]}_before_relu"
                node.input[0], node.output[0] = relu.input[0], reordered
                relu.input[0], relu.output[0] = reordered, pooled
                reads[reordered] = 1
                placed[relu.name] = placed.pop(relu.name)  # behind the max-pool
                maker[pooled] = relu
        for name in node.output:
            maker[name] = node
    return list(placed.values())


def _is_dense_max_pool(node: onnx.NodeProto) -> bool:
    """Whether a node is a max-pool of which every window holds a value of its input, and gives no indices.

    A window of padding alone is minus infinity, or zero after a ReLU. Padding is narrower than the window (onnxruntime
    checks that), so it takes gaps inside the window, or windows past the end, to have one.
    """
    gaps = any(a.name == "dilations" and max(a.ints) > 1 for a in node.attribute)
    beyond = any(a.name == "ceil_mode" and a.i for a in node.attribute)
    return node.op_type == "MaxPool" and len(node.output) == 1 and not gaps and not beyond


def copied(node: onnx.NodeProto) -> onnx.NodeProto:
    """Return a copy of a node."""
    import onnx

    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    return copy
