"""The model in the forms that the baselines take: without its preprocessing, as Keras' arrays, or narrow and seeded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fer_audit.encoders.resnet50 import ConvBatchNorm, LayerId, build_resnet50, layer_ids
from fer_audit.encoders.sidecar import save_model
from fer_audit.encoders.types import ExportedModel, ModelSpec

NARROW_SIZE = 64
"""Pixels of the narrow network's images."""
NARROW_WIDTH = 8
"""Channels of its first convolution; 64 in ResNet50."""


def without_preprocessing(source: Path, target: Path) -> tuple[float, float, float]:
    """Write the network from its first convolution on, float32 NCHW in, and return the mean a user must subtract.

    What stands before it (cast, transpose, minus the mean) is what a user does in numpy. Raises ValueError when there is more.
    """
    model = onnx.load(source)
    graph = model.graph
    first = next(i for i, node in enumerate(graph.node) if node.op_type == "Conv")
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    mean = (0.0, 0.0, 0.0)
    for node in graph.node[:first]:
        if node.op_type == "Sub" and node.input[1] in constants:
            red, green, blue = constants[node.input[1]].reshape(3).tolist()
            mean = (red, green, blue)
        elif node.op_type not in ("Cast", "Transpose"):
            raise ValueError(f"{source} preprocesses with {node.op_type}, which no baseline does")
    size = graph.input[0].type.tensor_type.shape.dim[1].dim_value
    images = helper.make_tensor_value_info(
        graph.node[first].input[0], TensorProto.FLOAT, ["batch", 3, size, size]
    )
    nodes = list(graph.node[first:])
    used = {name for node in nodes for name in node.input}
    bare = helper.make_graph(
        nodes,
        "without-preprocessing",
        [images],
        list(graph.output),
        [each for each in graph.initializer if each.name in used],
    )
    made = helper.make_model(
        bare, opset_imports=list(model.opset_import), ir_version=model.ir_version
    )
    onnx.checker.check_model(made, full_check=True)
    onnx.save(made, target)
    return mean


def save_keras_arrays(layers: dict[LayerId, ConvBatchNorm], path: Path) -> None:
    """Write the arrays under the names that Keras gives its layers and variables."""
    arrays: dict[str, NDArray[np.float32]] = {}
    for (stage, block, branch), layer in layers.items():
        prefix = "conv1" if stage == 1 else f"conv{stage}_block{block}_{branch}"
        arrays |= {
            f"{prefix}_conv/kernel": layer.kernel,
            f"{prefix}_conv/bias": layer.bias,
            f"{prefix}_bn/gamma": layer.gamma,
            f"{prefix}_bn/beta": layer.beta,
            f"{prefix}_bn/moving_mean": layer.mean,
            f"{prefix}_bn/moving_variance": layer.variance,
        }
    np.savez(path, **arrays)  # type: ignore[arg-type]  # its stub takes the names for keywords


def save_narrow_network(path: Path) -> ExportedModel:
    """Write a ResNet50 of an eighth of the width with seeded weights, and its sidecar: `--smoke` needs no real one."""
    rng = np.random.default_rng(0)
    layers = {}
    for layer in layer_ids():
        side, inputs, outputs = _narrow_shape(layer)
        kernel = rng.normal(0, np.sqrt(2 / (side * side * inputs)), (side, side, inputs, outputs))
        layers[layer] = ConvBatchNorm(
            kernel=kernel.astype(np.float32),
            bias=rng.normal(0, 0.1, outputs).astype(np.float32),
            gamma=np.ones(outputs, np.float32),
            beta=rng.normal(0, 0.1, outputs).astype(np.float32),
            mean=rng.normal(0, 0.1, outputs).astype(np.float32),
            variance=rng.uniform(0.5, 1.5, outputs).astype(np.float32),
        )
    spec = ModelSpec(
        name="narrow",
        task="embed",
        size=NARROW_SIZE,
        dim=NARROW_WIDTH * 32,
        colour="BGR",
        mean=(103.939, 116.779, 123.68),
        scale=(1.0, 1.0, 1.0),
        weights="seeded, for benchmarks --smoke",
        licence="Apache-2.0",
        citation="none",
    )
    return save_model(build_resnet50(layers, spec), spec, "fp32", path)


def _narrow_shape(layer: LayerId) -> tuple[int, int, int]:
    """Return (kernel side, input channels, output channels): He et al. 2016, table 1, narrower."""
    stage, block, branch = layer
    if stage == 1:
        return 7, 3, NARROW_WIDTH
    middle = NARROW_WIDTH * 2 ** (stage - 2)
    entering = middle * 4 if block > 1 else (NARROW_WIDTH if stage == 2 else middle * 2)
    shapes = {0: (1, entering, middle * 4), 1: (1, entering, middle), 2: (3, middle, middle)}
    return shapes.get(branch, (1, middle, middle * 4))
