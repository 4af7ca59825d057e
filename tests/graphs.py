"""Real ONNX files, small enough to know their answer by heart."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fer_audit.encoders.sidecar import save_model
from fer_audit.encoders.types import ExportedModel, ModelSpec

SIZE = 32

MEAN_COLOUR = ModelSpec(
    name="mean-colour",
    task="embed",
    size=SIZE,
    dim=3,
    colour="RGB",
    mean=(0.0, 0.0, 0.0),
    scale=(1.0, 1.0, 1.0),
    weights="none: it averages",
    licence="CC0-1.0",
    citation="none",
)

_HEAD = (
    helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
    helper.make_node("Transpose", ["floats"], ["nchw"], perm=[0, 3, 1, 2]),
)


def mean_colour_graph() -> onnx.ModelProto:
    """Return the graph whose answer is each image's mean red, green and blue."""
    return make_graph(
        [
            *_HEAD,
            helper.make_node("GlobalAveragePool", ["nchw"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["embedding"], axis=1),
        ]
    )


def black_is_nan_graph() -> onnx.ModelProto:
    """Return the mean-colour graph that divides 0 by 0 for black images, and only for them."""
    return make_graph(
        [
            *_HEAD,
            helper.make_node("GlobalAveragePool", ["nchw"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["mean"], axis=1),
            helper.make_node("ReduceMax", ["mean"], ["largest"], axes=[1], keepdims=1),
            helper.make_node("Div", ["largest", "largest"], ["one"]),
            helper.make_node("Mul", ["mean", "one"], ["embedding"]),
        ]
    )


def convolution_graph(channels: int = 48) -> onnx.ModelProto:
    """Return two seeded 3x3 convolutions and a pool: enough sums for threads to disagree about."""
    rng = np.random.default_rng(7)
    weights = [
        _weights("w1", rng.standard_normal((channels, 3, 3, 3)) / 100),
        _weights("w2", rng.standard_normal((channels, channels, 3, 3)) / 10),
    ]
    return make_graph(
        [
            *_HEAD,
            helper.make_node("Conv", ["nchw", "w1"], ["c1"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["c1"], ["r1"]),
            helper.make_node("Conv", ["r1", "w2"], ["c2"], pads=[1, 1, 1, 1]),
            helper.make_node("GlobalAveragePool", ["c2"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["embedding"], axis=1),
        ],
        dim=channels,
        weights=weights,
    )


def make_graph(
    nodes: list[onnx.NodeProto],
    *,
    dim: int = 3,
    input_type: int = TensorProto.UINT8,
    input_shape: tuple[str | int, ...] = ("batch", SIZE, SIZE, 3),
    output_type: int = TensorProto.FLOAT,
    weights: list[onnx.TensorProto] | None = None,
    domains: tuple[str, ...] = ("",),
) -> onnx.ModelProto:
    """Return a model from `images` to `embedding` (batch, dim)."""
    images = helper.make_tensor_value_info("images", input_type, list(input_shape))
    embedding = helper.make_tensor_value_info("embedding", output_type, ["batch", dim])
    graph = helper.make_graph(nodes, "tiny", [images], [embedding], weights or [])
    opsets = [helper.make_opsetid(domain, 17) for domain in domains]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def save(
    model: onnx.ModelProto, path: Path, *, dim: int = 3, name: str = "mean-colour"
) -> ExportedModel:
    """Write a graph with the sidecar that vouches for it."""
    spec = dataclasses.replace(MEAN_COLOUR, dim=dim, name=name)
    return save_model(model, spec, "fp32", path)


def _weights(name: str, values: NDArray[np.float64]) -> onnx.TensorProto:
    return numpy_helper.from_array(values.astype(np.float32), name)
