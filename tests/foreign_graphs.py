"""ONNX files as other people export them: every layout, type and batch, with an answer that numpy knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIZE = 12
GREY = np.array([[0.299], [0.587], [0.114]])
NUMPY: dict[int, type[np.generic]] = {
    TensorProto.UINT8: np.uint8,
    TensorProto.FLOAT: np.float32,
    TensorProto.FLOAT16: np.float16,
}


@dataclass(frozen=True)
class Drawn:
    """A graph whose answer is the mean of every channel, times a matrix."""

    layout: str = "NCHW"
    kind: int = TensorProto.FLOAT
    channels: int = 3
    batch: int | str = "N"
    sides: tuple[int | str, int | str] = (SIZE, SIZE)
    width: int = 5
    last: str = ""
    """A node behind it: Softmax, Sigmoid, or Reshape to one row."""
    names: tuple[str, str] = ("input_1:0", "dense/out:0")
    ir: int = 9

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Return the (channels, width) weights: small integers, exact in float16."""
        rng = np.random.default_rng(3)
        return rng.integers(-8, 9, (self.channels, self.width)) / 8.0

    def model(self) -> onnx.ModelProto:
        """Return the graph."""
        taken, given = self.names
        order = [self.batch, self.channels, *self.sides]
        if self.layout == "NHWC":
            order = [self.batch, *self.sides, self.channels]
        kind = TensorProto.FLOAT if self.kind == TensorProto.UINT8 else self.kind
        nodes, x = [], taken
        if self.kind == TensorProto.UINT8:
            nodes.append(helper.make_node("Cast", [x], ["floats"], to=kind))
            x = "floats"
        if self.layout == "NHWC":
            nodes.append(helper.make_node("Transpose", [x], ["nchw"], perm=[0, 3, 1, 2]))
            x = "nchw"
        nodes += [
            helper.make_node("GlobalAveragePool", [x], ["images"]),  # our input's name
            helper.make_node("Flatten", ["images"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "w"], ["numbers" if self.last else given]),
        ]
        weights = [numpy_helper.from_array(self.matrix.astype(NUMPY[kind]), "w")]
        if self.last == "Reshape":
            weights.append(numpy_helper.from_array(np.array([1, -1]), "row"))
            nodes.append(helper.make_node("Reshape", ["numbers", "row"], [given]))
        elif self.last:
            nodes.append(helper.make_node(self.last, ["numbers"], [given]))
        inputs = [helper.make_tensor_value_info(taken, self.kind, order)]
        if self.ir < 4:  # then weights are inputs too
            inputs.append(helper.make_tensor_value_info("w", kind, [self.channels, self.width]))
        outputs = [helper.make_tensor_value_info(given, kind, [self.batch, self.width])]
        graph = helper.make_graph(nodes, "drawn", inputs, outputs, weights)
        opset = 8 if self.ir < 4 else 17
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=self.ir
        )

    def save(self, path: Path) -> Path:
        """Write the graph."""
        path.write_bytes(self.model().SerializeToString())
        return path

    def answers(
        self,
        pixels: NDArray[np.uint8],
        *,
        colour: str,
        mean: Sequence[float] = (0.0,),
        scale: Sequence[float] = (1.0,),
    ) -> NDArray[np.float64]:
        """Return (n, width) numbers for (n, SIZE, SIZE, 3) RGB images, before `last`."""
        x = pixels.astype(np.float64)
        x = x @ GREY if colour == "grey" else x[..., ::-1] if colour == "BGR" else x
        if colour == "grey" and self.kind == TensorProto.UINT8:
            x = np.rint(x)
        x = (x - np.array(mean)) * np.array(scale)
        result: NDArray[np.float64] = x.mean(axis=(1, 2)) @ self.matrix
        return result
