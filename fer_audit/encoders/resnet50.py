"""Keras' ResNet50 (v1) as an ONNX graph, written straight from its arrays.

uint8 NHWC RGB in, float32 (n, 2048) out; colour order and mean live inside the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_audit.encoders.network import INPUT_NAME, OUTPUT_NAME, Network
from fer_audit.encoders.types import ModelSpec
from fer_audit.encoders.weights import BLOCKS, ConvBatchNorm, LayerId

if TYPE_CHECKING:
    import onnx


def build_resnet50(layers: dict[LayerId, ConvBatchNorm], spec: ModelSpec) -> onnx.ModelProto:
    """Return the graph of He et al. 2016, table 1, 50 layers, without the classifier.

    v1 as Keras has it: a stage's stride 2 sits in the first 1x1 convolution of its first block.
    The same arrays and onnx version give the same bytes.
    """
    graph = Network()
    x = _preprocess(graph, spec)
    weight, bias = layers[1, 1, 1].folded()
    x = graph.relu(_conv(graph, x, "conv1", (_fed_with_rgb(weight, spec), bias), stride=2))
    # Keras pads with zeros; after a ReLU that is the same as the pool's own minus infinity.
    x = graph.add("MaxPool", [x], "pool1", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for stage, blocks in BLOCKS.items():
        for block in range(1, blocks + 1):
            x = _residual_block(graph, x, layers, stage, block)
    x = graph.add("GlobalAveragePool", [x], "avg_pool")
    graph.add("Flatten", [x], OUTPUT_NAME, axis=1)
    return graph.finished(spec)


def _conv(
    graph: Network,
    x: str,
    name: str,
    folded: tuple[NDArray[np.float64], NDArray[np.float64]],
    stride: int = 1,
) -> str:
    """Add a square convolution with the same padding on all sides (3 for the 7x7, 1 for a 3x3)."""
    weight, bias = folded
    side = weight.shape[2]
    inputs = [
        x,
        graph.constant(f"{name}_weight", weight),
        graph.constant(f"{name}_bias", bias),
    ]
    return graph.add(
        "Conv",
        inputs,
        name,
        kernel_shape=[side, side],
        strides=[stride, stride],
        pads=[side // 2] * 4,
    )


def _preprocess(graph: Network, spec: ModelSpec) -> str:
    """Bytes to centred floats in NCHW; scale and colour order are in the first weights already."""
    from onnx import TensorProto

    x = graph.add("Cast", [INPUT_NAME], "floats", to=TensorProto.FLOAT)
    x = graph.add("Transpose", [x], "nchw", perm=[0, 3, 1, 2])
    mean = np.array(spec.mean)
    if not mean.any():
        return x
    rgb_mean = mean[::-1] if spec.colour == "BGR" else mean
    return graph.add("Sub", [x, graph.constant("mean", rgb_mean.reshape(1, 3, 1, 1))], "centred")


def _fed_with_rgb(weight: NDArray[np.float64], spec: ModelSpec) -> NDArray[np.float64]:
    """Return conv1's weights for RGB input: scaled, and with the input channels swapped for a BGR network."""
    scaled: NDArray[np.float64] = weight * np.array(spec.scale).reshape(1, 3, 1, 1)
    return scaled[:, ::-1] if spec.colour == "BGR" else scaled


def _residual_block(
    graph: Network, x: str, layers: dict[LayerId, ConvBatchNorm], stage: int, block: int
) -> str:
    """Add a bottleneck: 1x1, 3x3, 1x1, plus the shortcut."""
    name = f"conv{stage}_block{block}"
    stride = 2 if block == 1 and stage > 2 else 1
    shortcut = x
    if block == 1:
        shortcut = _conv(graph, x, f"{name}_0", layers[stage, block, 0].folded(), stride=stride)
    y = graph.relu(_conv(graph, x, f"{name}_1", layers[stage, block, 1].folded(), stride=stride))
    y = graph.relu(_conv(graph, y, f"{name}_2", layers[stage, block, 2].folded()))
    y = _conv(graph, y, f"{name}_3", layers[stage, block, 3].folded())
    return graph.relu(graph.add("Add", [shortcut, y], f"{name}_add"))
