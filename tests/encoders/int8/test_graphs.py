"""int8 of networks that are not ours: whatever a graph does with its tensors, the vectors stay near or it is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from fer_audit.config import Precision
from fer_audit.embed.session import CPU, EmbedSession
from fer_audit.encoders.int8.calibrate import read_statistics, statistics_graph
from fer_audit.encoders.int8.network import Network
from fer_audit.encoders.int8.quantize import quantize
from fer_audit.encoders.sidecar import save_model
from fer_audit.encoders.types import ModelSpec
from fer_audit.errors import ModelError

SIZE, CHANNELS = 16, 16
NEAR = 0.1
"""Of the vectors' spread. A handful of rounded layers moves them by 0.01 to 0.06; a wrong rewriting by 1 and more."""


class Drawing:
    """Collects the nodes of a small network with seeded weights of very unequal channels."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, NDArray[Any]] = {}
        self.rng = np.random.default_rng(3)
        self.named = True
        self.constants = False

    def op(self, operator: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401 - whatever an ONNX attribute holds
        name = f"t{len(self.nodes)}"
        node = helper.make_node(operator, list(inputs), [name], **attributes)
        node.name = name if self.named else ""
        self.nodes.append(node)
        return name

    def const(self, array: NDArray[Any]) -> str:
        name = f"w{len(self.weights)}_{len(self.nodes)}"
        if self.constants:
            value = numpy_helper.from_array(array, name)
            self.nodes.append(helper.make_node("Constant", [], [name], value=value))
        else:
            self.weights[name] = array
        return name

    def weight(self, outputs: int, inputs: int, side: int = 3) -> str:
        values = self.rng.normal(
            0, np.sqrt(2 / (inputs * side * side)), (outputs, inputs, side, side)
        )
        unequal = np.exp(self.rng.normal(0, 1, (outputs, 1, 1, 1)))
        return self.const((values * unequal).astype(np.float32))

    def bias(self, outputs: int = CHANNELS) -> str:
        return self.const(self.rng.normal(0, 0.1, outputs).astype(np.float32))

    def conv(self, x: str, inputs: int = CHANNELS, *, bias: bool = True, group: int = 1) -> str:
        more = [self.bias()] if bias else []
        return self.op(
            "Conv", x, self.weight(CHANNELS, inputs // group), *more, pads=[1] * 4, group=group
        )

    def image(self) -> str:
        floats = self.op("Cast", "images", to=TensorProto.FLOAT)
        nchw = self.op("Transpose", floats, perm=[0, 3, 1, 2])
        return self.op("Mul", nchw, self.const(np.array(1 / 255, np.float32)))

    def stem(self, *, bias: bool = True) -> str:
        return self.op("Relu", self.conv(self.image(), 3, bias=bias))

    def layer(self, x: str, *, bias: bool = True, group: int = 1) -> str:
        return self.op("Relu", self.conv(x, bias=bias, group=group))

    def pooled(self, x: str) -> str:
        return self.op("Flatten", self.op("GlobalAveragePool", x), axis=1)

    def model(self, x: str, *, dim: int = CHANNELS, opset: int = 17) -> onnx.ModelProto:
        self.nodes[-1].output[0] = "embedding"
        assert x == f"t{len(self.nodes) - 1}" or self.constants
        graph = helper.make_graph(
            self.nodes,
            "drawing",
            [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", SIZE, SIZE, 3])],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", dim])],
            [numpy_helper.from_array(array, name) for name, array in self.weights.items()],
        )
        opsets = [helper.make_opsetid("", opset)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return model


def residual(d: Drawing, *, opset: int = 17, group: int = 1) -> onnx.ModelProto:
    x = d.stem()
    y = d.conv(d.layer(x, group=group))
    return d.model(d.pooled(d.layer(d.op("Relu", d.op("Add", y, x)))), opset=opset)


def unnamed(d: Drawing) -> onnx.ModelProto:
    d.named = False
    return residual(d)


def constants(d: Drawing) -> onnx.ModelProto:
    d.constants = True
    return residual(d)


def no_bias_anywhere(d: Drawing) -> onnx.ModelProto:
    return d.model(d.pooled(d.layer(d.layer(d.stem(bias=False), bias=False), bias=False)))


def max_pooled(d: Drawing) -> onnx.ModelProto:
    """Two max-pools in a row behind the ReLU of the stem, and one that shares its ReLU with a convolution."""
    x = d.stem()
    for _ in range(2):
        x = d.op("MaxPool", x, kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4)
    y = d.layer(x)
    z = d.op("MaxPool", y, kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4)
    return d.model(d.pooled(d.layer(d.op("Relu", d.op("Add", d.conv(y), z)))))


def shared_weights(d: Drawing) -> onnx.ModelProto:
    x, w = d.stem(), d.weight(CHANNELS, CHANNELS)
    for _ in range(2):
        x = d.op("Relu", d.op("Conv", x, w, d.bias(), pads=[1] * 4))
    return d.model(d.pooled(x))


def shared_bias(d: Drawing) -> onnx.ModelProto:
    bias = d.const(np.full(CHANNELS, 0.3, np.float32))
    x = d.op("Relu", d.op("Conv", d.image(), d.weight(CHANNELS, 3), bias, pads=[1] * 4))
    for _ in range(2):
        x = d.op("Relu", d.op("Conv", x, d.weight(CHANNELS, CHANNELS), bias, pads=[1] * 4))
    return d.model(d.pooled(x))


def constant_added(d: Drawing) -> onnx.ModelProto:
    x = d.op("Add", d.image(), d.const(np.full((1, 3, 1, 1), -0.4, np.float32)))
    x = d.conv(d.op("Relu", d.conv(x, 3)))
    x = d.op("Add", d.const(np.full((1, CHANNELS, 1, 1), 0.2, np.float32)), x)
    return d.model(d.pooled(d.layer(d.layer(d.op("Relu", x)))))


def summand_read_elsewhere(d: Drawing) -> onnx.ModelProto:
    x = d.stem()
    negative = d.op("Conv", x, d.weight(CHANNELS, CHANNELS, 1), d.bias())
    d.weights[d.nodes[-1].input[1]] -= np.float32(0.3)
    small = d.layer(d.op("Mul", x, d.const(np.array(0.01, np.float32))))
    y = d.layer(d.op("Relu", d.op("Add", negative, small)))
    both = d.op("Concat", y, d.layer(negative), axis=1)
    return d.model(d.pooled(both), dim=2 * CHANNELS)


def gated(d: Drawing) -> onnx.ModelProto:
    a = d.layer(d.stem())
    y = d.op("Mul", a, d.op("Sigmoid", d.op("GlobalAveragePool", a)))
    return d.model(d.pooled(d.op("Add", d.layer(y), d.layer(a))))


def read_by_relu_and_sigmoid(d: Drawing) -> onnx.ModelProto:
    a = d.conv(d.stem())
    return d.model(d.pooled(d.layer(d.op("Mul", d.op("Relu", a), d.op("Sigmoid", a)))))


def linear_head(d: Drawing) -> onnx.ModelProto:
    x = d.pooled(d.layer(d.stem()))
    w = d.const(d.rng.standard_normal((CHANNELS, 10)).astype(np.float32))
    x = d.op("Add", d.op("MatMul", x, w), d.const(np.ones(10, np.float32)))
    return d.model(d.op("Relu", x), dim=10)


def broadcast_sum(d: Drawing) -> onnx.ModelProto:
    x = d.stem()
    mean = d.layer(d.op("GlobalAveragePool", x))
    return d.model(d.pooled(d.layer(d.op("Relu", d.op("Add", d.conv(x), mean)))))


def branch(d: Drawing) -> onnx.ModelProto:
    a = d.layer(d.stem())

    def one(name: str, operator: str, *inputs: str) -> onnx.GraphProto:
        info = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        return helper.make_graph(
            [helper.make_node(operator, list(inputs), [name])], name, [], [info]
        )

    chosen = d.op(
        "If",
        d.const(np.array(True)),
        then_branch=one("squared", "Mul", a, a),
        else_branch=one("same", "Identity", a),
    )
    return d.model(d.pooled(d.op("Add", d.layer(a), chosen)))


def vectors(
    model: onnx.ModelProto, width: int, path: Path, precision: Precision = "fp32"
) -> NDArray[np.float32]:
    """Run a graph on 24 noisy images as the pipeline runs models."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (24, SIZE, SIZE, 3)) * rng.uniform(0.2, 1, (24, 1, 1, 1))
    spec = ModelSpec("drawing", "embed", SIZE, width, "RGB", (0.0,) * 3, (1.0,) * 3, "", "", "")
    saved = save_model(model, spec, precision, path, reduced_range=True)
    session = EmbedSession(saved, CPU, batch_size=24, threads=1)
    return session.embed(noise.astype(np.uint8)).copy()


@pytest.mark.parametrize(
    "draw",
    [
        *(residual, unnamed, constants, no_bias_anywhere, max_pooled, shared_weights, shared_bias),
        *(constant_added, summand_read_elsewhere, gated, read_by_relu_and_sigmoid, linear_head),
        *(broadcast_sum, lambda d: residual(d, group=4), lambda d: residual(d, group=CHANNELS)),
        *(lambda d: residual(d, opset=13), lambda d: residual(d, opset=20)),
    ],
)
def test_the_vectors_stay_near(draw: Callable[[Drawing], onnx.ModelProto], tmp_path: Path) -> None:
    model = draw(Drawing())
    width = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    network = Network(model)
    watching, watched_width = statistics_graph(network)
    rows = vectors(watching, watched_width, tmp_path / "statistics.onnx")
    integer = quantize(network, read_statistics(network, [rows]), reduced_range=True)

    plain = vectors(model, width, tmp_path / "plain.onnx")
    rounded = vectors(integer, width, tmp_path / "int8.onnx", "int8")

    spread = np.linalg.norm(plain - plain.mean(axis=0))
    assert 0 < np.linalg.norm(rounded - plain) < NEAR * spread


def operators_in_order(network: Network) -> list[str]:
    return [node.op_type for node in network.nodes if node.op_type in {"Relu", "MaxPool", "Conv"}]


def test_a_max_pool_comes_before_its_relu_and_no_vector_changes_a_bit(tmp_path: Path) -> None:
    """The ReLU moves behind both max-pools; the other one is left alone, a convolution reads that ReLU too."""
    model = max_pooled(Drawing())

    network = Network(model)

    assert operators_in_order(network)[:6] == [
        *("Conv", "MaxPool", "MaxPool", "Relu", "Conv", "Relu")
    ]
    assert operators_in_order(network)[6] == "MaxPool"
    before = vectors(model, CHANNELS, tmp_path / "before.onnx")
    after = vectors(network.model, CHANNELS, tmp_path / "after.onnx")
    assert after.tobytes() == before.tobytes()


@pytest.mark.parametrize(
    "attributes", [{"ceil_mode": 1}, {"dilations": [2, 2]}], ids=["ceil", "dilated"]
)
def test_a_max_pool_with_windows_of_padding_alone_stays_behind_its_relu(
    attributes: dict[str, Any],
) -> None:
    """Such a window is minus infinity, and zero after a ReLU."""
    d = Drawing()
    x = d.op("MaxPool", d.stem(), kernel_shape=[2, 2], strides=[2, 2], **attributes)

    network = Network(d.model(d.pooled(d.layer(x))))

    assert operators_in_order(network)[:3] == ["Conv", "Relu", "MaxPool"]


@pytest.mark.parametrize(
    ("draw", "words"),
    [(branch, "a graph inside"), (lambda d: residual(d, opset=12), "opset 12")],
    ids=["If", "old"],
)
def test_what_cannot_be_rewritten_is_refused(
    draw: Callable[[Drawing], onnx.ModelProto], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        Network(draw(Drawing()))


def test_the_model_that_is_read_is_not_changed() -> None:
    model = shared_bias(Drawing())
    before = model.SerializeToString()
    _ = Network(model).quantized
    assert model.SerializeToString() == before
