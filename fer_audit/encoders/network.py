"""An ONNX network of convolutions, read so that it can be rewritten: who makes a tensor, who reads it, which channels are one."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_audit.errors import ModelError

if TYPE_CHECKING:
    import onnx

CHANNELWISE = frozenset({"Relu", "Add", "MaxPool"})
"""Operators that keep channels apart, and give twice as much when they are fed twice as much."""


class Network:
    """The nodes and weights of a model, by tensor name. Nothing in it is changed."""

    def __init__(self, model: onnx.ModelProto) -> None:
        from onnx import numpy_helper

        self.model = model
        self.nodes = list(model.graph.node)
        self.weights: dict[str, NDArray[np.float64]] = {
            tensor.name: numpy_helper.to_array(tensor).astype(np.float64)
            for tensor in model.graph.initializer
            if tensor.data_type == tensor.FLOAT
        }
        self.maker = {name: node for node in self.nodes for name in node.output}
        self.readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in self.nodes:
            for name in node.input:
                self.readers[name].append(node)

    @cached_property
    def convolutions(self) -> list[onnx.NodeProto]:
        """The convolutions that can be rewritten, in order: all but those that read the image itself.

        Raises ModelError when there is none: such a network gains nothing here.
        """
        found = [
            node
            for node in self.nodes
            if node.op_type == "Conv"
            and len(node.input) == 3
            and all(name in self.weights for name in node.input[1:])
            and _groups(node) == 1
            and self._reads_features(node)
        ]
        if not found:
            raise ModelError("The model has no convolutions that could be quantized")
        return found

    def _reads_features(self, node: onnx.NodeProto) -> bool:
        """Whether a convolution stands before this one. The others read three colours: little work, much to lose."""
        todo, seen = [node.input[0]], set()
        while todo:
            maker = self.maker.get(todo.pop())
            if maker is None or maker.name in seen:
                continue
            if maker.op_type == "Conv":
                return True
            seen.add(maker.name)
            todo += maker.input
        return False

    @cached_property
    def activated(self) -> dict[str, str]:
        """Output of a convolution -> what is seen of it: the ReLU after it, where only that reads it."""
        seen = {}
        for node in self.convolutions:
            readers = self.readers[node.output[0]]
            alone = len(readers) == 1 and readers[0].op_type == "Relu"
            seen[node.output[0]] = readers[0].output[0] if alone else node.output[0]
        return seen

    @cached_property
    def quantized(self) -> list[str]:
        """The tensors that pass from one integer operator to the next, in the order they are made."""
        wanted = {node.input[0] for node in self.convolutions} | set(self.activated.values())
        return [name for node in self.nodes for name in node.output if name in wanted]

    def channel_groups(self) -> dict[str, str]:
        """Return tensor -> a name for all tensors whose channels cannot be scaled apart from its own."""
        parent: dict[str, str] = {}

        def root(name: str) -> str:
            while parent.setdefault(name, name) != name:
                name = parent[name]
            return name

        for node in self.nodes:
            root(node.output[0])
            if node.op_type in CHANNELWISE:
                for name in node.input:
                    parent[root(name)] = root(node.output[0])
        return {name: root(name) for name in list(parent)}


def _groups(node: onnx.NodeProto) -> int:
    return next((a.i for a in node.attribute if a.name == "group"), 1)


def read_network(path: Path) -> Network:
    """Return the network of a model file that was checked before."""
    import onnx

    return Network(onnx.load(path, load_external_data=False))
