"""Rewrite a float network with 8-bit integers: a step for each weight channel and each activation tensor, 32-bit sums.

Every convolution but the one that reads the image becomes integer, with every tensor between them, so that onnxruntime can
fuse each `DequantizeLinear -> Conv -> QuantizeLinear` to one integer operator. The last sum and the mean over positions
stay float: what they give is the embedding, and 8 bits of it would be lost in every vector.
Jacob et al., CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.encoders.int8.calibrate import ChannelStatistics, Equalized, equalize
from fer_audit.encoders.int8.network import Network, copied
from fer_audit.errors import ModelError

if TYPE_CHECKING:
    import onnx

Floats = NDArray[np.float64]

LEVELS = 255
"""Steps of an activation: uint8."""

FULL_RANGE, REDUCED_RANGE = 127, 63
"""Largest weight as int8. 63 keeps the sum of two products of a uint8 and an int8 inside 16 bits (2 x 255 x 63 = 32,130),
which is where processors without VNNI add them; 127 would saturate there."""

HEADROOM = 2.0**30
"""Biases are int32; a weight's step is never so small that its bias leaves them."""


def quantize(
    network: Network, statistics: Mapping[str, ChannelStatistics], *, reduced_range: bool
) -> onnx.ModelProto:
    """Return the integer network; `statistics` are of the float one, on images like those it will see.

    Raises ModelError for a network without convolutions to quantize.
    """
    even = equalize(network, statistics)
    writer = _Writer(network, even, REDUCED_RANGE if reduced_range else FULL_RANGE)
    return writer.model()


def activation_ranges(
    network: Network, statistics: Mapping[str, ChannelStatistics]
) -> dict[str, tuple[float, float]]:
    """Return (lowest, highest) of every quantized tensor, zero included.

    A summand below minus the other's maximum makes the ReLU of the sum zero whatever its value, so the range need not
    reach below that; this halves the range of many sums.
    """
    ranges = {
        name: (min(found.low.min(), 0.0), max(found.high.max(), 0.0))
        for name, found in statistics.items()
    }
    for node in network.nodes:
        readers = network.readers[node.output[0]]
        only_relu = network.is_read_once(node.output[0]) and readers[0].op_type == "Relu"
        if node.op_type == "Add" and only_relu:
            highest = {name: ranges[name][1] for name in node.input if name in ranges}
            for name, other in (tuple(node.input), tuple(node.input)[::-1]):
                if name in highest and other in highest and network.is_read_once(name):
                    ranges[name] = (max(ranges[name][0], -highest[other]), highest[name])
    return {name: ranges[name] for name in network.quantized}


class _Writer:
    def __init__(self, network: Network, even: Equalized, largest: int) -> None:
        self._network = network
        self._even = even
        self._largest = largest
        self._integer = {node.name for node in network.convolutions}
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._steps: dict[str, float] = {}
        for name, (low, high) in activation_ranges(network, even.statistics).items():
            step = np.float32(max(high - low, 1e-12) / LEVELS)
            self._steps[name] = float(step)
            self._constant(f"{name}_step", step)
            self._constant(f"{name}_zero", np.uint8(np.clip(round(-low / step), 0, LEVELS)))

    def model(self) -> onnx.ModelProto:
        from onnx import checker, helper

        for node in self._network.nodes:
            self._add(node)
            for name in node.output:
                if name in self._steps:
                    step = [f"{name}_step", f"{name}_zero"]
                    self._node("QuantizeLinear", [name, *step], f"{name}_integers")
                    self._node("DequantizeLinear", [f"{name}_integers", *step], f"{name}_rounded")
        old = self._network.model.graph
        used = {name for node in self._nodes for name in node.input}
        kept = [x for x in old.initializer if x.name in used and x.name not in self._constants]
        weights = [*kept, *self._constants.values()]
        ends = ([*old.input], [*old.output])
        graph = helper.make_graph(self._nodes, f"{old.name}_int8", *ends, weights)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", self._network.opset)],
            ir_version=self._network.model.ir_version,
            producer_name="fer-audit",
        )
        try:
            checker.check_model(model, full_check=True)
        except Exception as exc:  # the checker's errors share no base class
            raise ModelError(
                f"The model cannot be quantized: {exc}", hint="Use --precision fp32."
            ) from exc
        return model

    def _add(self, node: onnx.NodeProto) -> None:
        """Add a node that reads the rounded tensors, and floats in their own scale where it is no integer operator."""
        copy = copied(node)
        if node.name in self._integer:
            copy.input[:] = [self._rounded(node.input[0]), *self._convolution(node)]
        elif self._network.is_plain_convolution(node):
            for name in node.input[1:]:
                self._constant(name, self._even.weights[name].astype(np.float32))
        elif self._network.is_channelwise(node):
            copy.input[:] = [self._rounded(name) for name in node.input]
        else:
            copy.input[:] = [self._unscaled(name) for name in node.input]
        self._nodes.append(copy)

    def _rounded(self, name: str) -> str:
        return f"{name}_rounded" if name in self._steps else name

    def _unscaled(self, name: str) -> str:
        factors = self._even.factors.get(name)
        if factors is None:
            return self._rounded(name)
        if f"{name}_factors" not in self._constants:
            self._constant(f"{name}_factors", factors.astype(np.float32).reshape(1, -1, 1, 1))
            inputs = [self._rounded(name), f"{name}_factors"]
            self._node("Mul", inputs, f"{name}_unscaled")
        return f"{name}_unscaled"

    def _convolution(self, node: onnx.NodeProto) -> tuple[str, str]:
        """Add a convolution's weights and bias as integers, and return their names as floats.

        Rounded weights shift the mean of every output by their error times the input's mean; the bias takes that back.
        Nagel et al., ICCV 2019, section 4.2.
        """
        source, weight_name, bias_name = node.input
        weight, bias = self._even.weights[weight_name], self._even.weights[bias_name]
        step = np.abs(weight).max(axis=(1, 2, 3)) / self._largest
        step = np.maximum(step, np.abs(bias) / (self._steps[source] * HEADROOM))
        step = np.where(step > 0, step, 1.0).astype(np.float32).astype(np.float64)
        integers = np.round(weight / step[:, None, None, None])
        error = integers * step[:, None, None, None] - weight
        bias = bias - error.sum(axis=(2, 3)) @ self._even.statistics[source].mean
        bias_step = (step * self._steps[source]).astype(np.float32)
        self._constant(f"{weight_name}_step", step.astype(np.float32))
        self._constant(f"{weight_name}_integers", integers.astype(np.int8))
        self._constant(f"{bias_name}_step", bias_step)
        self._constant(f"{bias_name}_integers", np.round(bias / bias_step).astype(np.int32))
        for name in (weight_name, bias_name):
            inputs = [f"{name}_integers", f"{name}_step"]
            self._node("DequantizeLinear", inputs, f"{name}_float", axis=0)
        return f"{weight_name}_float", f"{bias_name}_float"

    def _node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:  # noqa: ANN401 - whatever an ONNX attribute holds
        from onnx import helper

        self._nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def _constant(self, name: str, array: Any) -> None:  # noqa: ANN401 - any array or scalar
        from onnx import numpy_helper

        values = np.asarray(array)
        self._constants[name] = numpy_helper.from_array(
            np.ascontiguousarray(values).reshape(values.shape), name
        )
