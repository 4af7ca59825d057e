"""Torch, eager: the very network of the ONNX export, node by node, in plain or channels_last memory.

torchvision's own ResNet50 is v1.5 (another stride) with other weights, so it could not be checked against ours. The export has
its batch normalisation folded into the convolutions, which is faster than a module that has not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch.nn import functional

from benchmarks.baselines.faces import face_batches
from benchmarks.serving import Job, serve


class TorchGraph(Job):
    """A float32 NCHW network of convolutions, ReLU, max-pool, additions and a mean."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self._setup = setup
        self._format = torch.channels_last if setup["channels_last"] else torch.contiguous_format
        graph = onnx.load(setup["network"]).graph
        self._input, self._output = graph.input[0].name, graph.output[0].name
        self._weights = {each.name: self._weight(each) for each in graph.initializer}
        self._nodes = [
            (node.op_type, list(node.input), node.output[0], _attributes(node))
            for node in graph.node
        ]
        last_use = {x: output for _, inputs, output, _ in self._nodes for x in inputs}
        self._done_with: dict[str, list[str]] = {output: [] for _, _, output, _ in self._nodes}
        for name, output in last_use.items():
            if name not in self._weights:
                self._done_with[output].append(name)
        self.facts = {
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "mkldnn": torch.backends.mkldnn.is_available(),
            "memory": "channels_last" if setup["channels_last"] else "NCHW",
            "batch": setup["batch"],
        }

    def _weight(self, tensor: onnx.TensorProto) -> Any:  # noqa: ANN401 - torch has no types here
        weight = torch.from_numpy(numpy_helper.to_array(tensor).copy())
        return weight.contiguous(memory_format=self._format) if weight.dim() == 4 else weight

    def work(self) -> NDArray[np.float32]:
        """Return the (n, dim) vectors."""
        with torch.inference_mode():
            return np.concatenate(
                [
                    self._run(torch.from_numpy(x).contiguous(memory_format=self._format)).numpy()
                    for x in face_batches(self._setup)
                ]
            )

    def _run(self, images: Any) -> Any:  # noqa: ANN401 - torch has no types here
        tensors = {self._input: images}
        for op, inputs, output, attributes in self._nodes:
            values = [self._weights[x] if x in self._weights else tensors[x] for x in inputs]
            tensors[output] = _apply(op, values, attributes)
            del values
            for done in self._done_with[output]:
                del tensors[done]  # as a module's local variables go, so that memory is used again
        return tensors[self._output]


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def _apply(op: str, values: list[Any], attributes: dict[str, Any]) -> Any:  # noqa: ANN401 - torch has no types here
    if op == "Conv":
        stride, pads = attributes.get("strides", [1, 1]), attributes.get("pads", [0] * 4)
        return functional.conv2d(*values, stride=stride, padding=pads[:2])
    if op == "Relu":
        return functional.relu_(values[0])  # in place, as torchvision has it
    if op == "MaxPool":
        return functional.max_pool2d(
            values[0],
            attributes["kernel_shape"],
            stride=attributes["strides"],
            padding=attributes["pads"][:2],
        )
    if op == "Add":
        return values[0] + values[1]
    if op == "GlobalAveragePool":
        return functional.adaptive_avg_pool2d(values[0], 1)
    if op == "Flatten":
        return torch.flatten(values[0], 1)
    raise ValueError(f"this network has a node that is not known here: {op}")


if __name__ == "__main__":
    serve(TorchGraph)
