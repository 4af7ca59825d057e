"""Statistics of a network's tensors, channel by channel, on the images to be embedded; and channels scaled by them.

ReLU, pooling and addition commute with a positive factor a channel, so the factor can be taken out of the convolution
that makes a channel and put into those that read it: one step size then serves all, and the network computes the same.
Nagel et al., ICCV 2019, section 4.1, there between pairs of layers; here also along the residual stream, whose convolutions
share one set of factors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.encoders.int8.network import Network, copied

if TYPE_CHECKING:
    import onnx

Floats = NDArray[np.float64]
_POSITIONS = "watched_positions"
_STATISTICS = (("ReduceMin", "low"), ("ReduceMax", "high"), ("ReduceMean", "mean"))
STRENGTH = 0.5
"""1 gives every channel the same maximum, 0 changes nothing. Full strength makes the weights harder to round than the
activations get easier: on 128 faces the vectors were off by 6.8 % of their spread at 0.5, 7.4 % at 0.75, 8.9 % at 1."""
SMALLEST = 1e-3
"""A channel that hardly ever fires is treated as if it reached this share of the largest."""


class ChannelStatistics(NamedTuple):
    """Smallest, largest and mean value of each channel (c,) of a tensor, over all images and positions."""

    low: Floats
    high: Floats
    mean: Floats


def watched(network: Network) -> list[str]:
    """Return the tensors whose statistics the rewriting needs, in the order they are made."""
    wanted = set(network.quantized)
    return [
        name
        for node in network.nodes
        for name in node.output
        if name in wanted or network.is_channelwise(node)
    ]


def statistics_graph(network: Network) -> tuple[onnx.ModelProto, int]:
    """Return a model of the same input whose output holds min, max and mean of every watched channel, one row an image.

    And how many numbers a row has. It runs wherever the model runs.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    graph = model.graph
    old = graph.output[0].name
    names = watched(network)
    nodes, parts = [], []
    for node in network.nodes:
        copy = copied(node)
        copy.output[:] = ["unwatched" if x == old else x for x in node.output]
        nodes.append(copy)
        # right behind the node that makes a tensor, so that it is kept no longer than the network itself keeps it
        for name in (name for name in node.output if name in names):
            for operator, word in _STATISTICS:
                part = f"{name}__{word}"
                nodes.append(_over_positions(operator, name, part, network.opset))
                parts.append(part)
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.append(numpy_helper.from_array(np.array([2, 3], np.int64), _POSITIONS))
    graph.node.append(helper.make_node("Concat", parts, [old], axis=1))
    width = sum(len(_STATISTICS) * network.features[name] for name in names)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(old, TensorProto.FLOAT, ["batch", width]))
    return model, width


def read_statistics(
    network: Network, rows: Iterable[NDArray[np.float32]]
) -> dict[str, ChannelStatistics]:
    """Return the statistics of every watched tensor from the (b, width) outputs of `statistics_graph`."""
    low, high, mean = (np.full(1, start) for start in (np.inf, -np.inf, 0.0))  # (width,) each
    n = 0
    for batch in rows:
        parts = batch.astype(np.float64)
        low, high = np.minimum(low, parts.min(axis=0)), np.maximum(high, parts.max(axis=0))
        mean, n = mean + parts.sum(axis=0), n + len(parts)
    found, position = {}, 0
    for name in watched(network):
        c = network.features[name]
        places = (slice(at, at + c) for at in range(position, position + 3 * c, c))
        kinds = zip((low, high, mean / n), places, strict=True)
        found[name] = ChannelStatistics(*(values[place] for values, place in kinds))
        position += 3 * c
    return found


def _over_positions(operator: str, name: str, part: str, opset: int) -> onnx.NodeProto:
    """Return the node that reduces (n, c, h, w) to (n, c); which axes is an attribute before opset 18, an input since."""
    from onnx import helper

    if opset < 18:
        return helper.make_node(operator, [name], [part], axes=[2, 3], keepdims=0)
    return helper.make_node(operator, [name, _POSITIONS], [part], keepdims=0)


class Equalized(NamedTuple):
    """A network's numbers after equalization: every float weight, and the statistics of every watched tensor.

    `factors`: tensor -> (c,) what its channels were divided by; a tensor without is as it was.
    """

    weights: Mapping[str, Floats]
    statistics: Mapping[str, ChannelStatistics]
    factors: Mapping[str, Floats]


def equalize(network: Network, statistics: Mapping[str, ChannelStatistics]) -> Equalized:
    """Return weights and statistics with every channel divided by (its maximum) ** STRENGTH, in relative terms.

    A reader other than convolution, ReLU, addition or pooling must multiply the tensor by its factors.
    """
    factors = _factors(network, statistics)
    weights = dict(network.weights)
    for node in network.nodes:
        if not network.is_plain_convolution(node):
            continue
        made, read = factors.get(node.output[0]), factors.get(node.input[0])
        _, weight, bias = node.input
        if made is not None:
            weights[weight] = weights[weight] / made[:, None, None, None]
            weights[bias] = weights[bias] / made
        if read is not None:
            weights[weight] = weights[weight] * read[None, :, None, None]
    scaled = {
        name: ChannelStatistics(*(each / factors.get(name, 1.0) for each in found))
        for name, found in statistics.items()
    }
    return Equalized(weights, scaled, factors)


def _factors(network: Network, statistics: Mapping[str, ChannelStatistics]) -> dict[str, Floats]:
    factors: dict[str, Floats] = {}
    for names in network.channel_groups():
        seen = [
            statistics[x].high
            for x in names
            if x in statistics and network.maker[x].op_type in {"Relu", "MaxPool"}
        ]
        if not seen or network.outputs.intersection(names):
            continue
        highest = np.max(seen, axis=0)
        highest = np.maximum(highest, SMALLEST * highest.max())
        if highest.max() > 0:
            relative = (highest / np.exp(np.log(highest).mean())) ** STRENGTH
            factors |= dict.fromkeys(names, relative)
    return factors
