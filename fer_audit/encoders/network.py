"""Writes an ONNX graph from layers as TensorFlow lays them out: uint8 NHWC RGB in, float32 (n, dim) out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fer_audit.encoders.types import ModelSpec

if TYPE_CHECKING:
    import onnx

OPSET = 17
IR_VERSION = 8
INPUT_NAME = "images"
OUTPUT_NAME = "embedding"
PROBABILITIES = "probabilities"
GREY = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in grey: ITU-R BT.601, as Pillow and OpenCV have them, but not rounded to bytes."""
_PADDING = {"SAME": "SAME_UPPER", "VALID": "VALID"}


class Network:
    """Collects nodes and weights; every method that adds a node returns the name of the tensor it gives."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, op: str, inputs: list[str], name: str, **attributes: Any) -> str:  # noqa: ANN401 - whatever an ONNX attribute holds
        """Add a node of any kind."""
        from onnx import helper

        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name: str, array: NDArray[Any], kind: DTypeLike = np.float32) -> str:
        """Add weights."""
        from onnx import numpy_helper

        values = np.ascontiguousarray(array, dtype=kind)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def relu(self, x: str) -> str:
        """Add a ReLU."""
        return self.add("Relu", [x], f"{x}_relu")

    def conv(
        self,
        x: str,
        name: str,
        kernel: NDArray[Any],
        bias: NDArray[Any] | None = None,
        *,
        stride: int = 1,
        padding: str = "SAME",
        depthwise: bool = False,
    ) -> str:
        """Add a convolution with TensorFlow's (height, width, in, out) kernel, or (height, width, in, times) depthwise.

        TensorFlow's SAME puts the odd row and column of padding below and right.
        """
        height, width, entering, leaving = kernel.shape
        shape = (height, width, 1, entering * leaving) if depthwise else kernel.shape
        inputs = [x, self.constant(f"{name}_weight", kernel.reshape(shape).transpose(3, 2, 0, 1))]
        if bias is not None:
            inputs.append(self.constant(f"{name}_bias", bias))
        return self.add(
            "Conv",
            inputs,
            name,
            kernel_shape=[height, width],
            strides=[stride, stride],
            auto_pad=_PADDING[padding],
            group=entering if depthwise else 1,
        )

    def max_pool(self, x: str, name: str, side: int, stride: int, padding: str) -> str:
        """Add a max-pool over squares."""
        return self.add(
            *("MaxPool", [x], name),
            kernel_shape=[side, side],
            strides=[stride, stride],
            auto_pad=_PADDING[padding],
        )

    def averaged(self, x: str, name: str) -> str:
        """Add the mean over all positions: (n, channels)."""
        pooled = self.add("GlobalAveragePool", [x], f"{name}_pooled")
        return self.add("Flatten", [pooled], name, axis=1)

    def dense(self, x: str, name: str, weights: NDArray[Any], bias: NDArray[Any]) -> str:
        """Add a layer of (in, out) weights."""
        inputs = [x, self.constant(f"{name}_weight", weights), self.constant(f"{name}_bias", bias)]
        return self.add("Gemm", inputs, name)

    def preprocessed(self, spec: ModelSpec) -> str:
        """Add what makes the network's NCHW floats of bytes: colour, mean and scale are one 1 x 1 convolution."""
        from onnx import TensorProto

        x = self.add("Cast", [INPUT_NAME], "floats", to=TensorProto.FLOAT)
        x = self.add("Transpose", [x], "nchw", perm=[0, 3, 1, 2])
        scale = np.array(spec.scale)[:, None]
        colours = {"RGB": np.eye(3), "BGR": np.eye(3)[::-1], "grey": np.array([GREY])}
        mixed = (colours[spec.colour] * scale).T[None, None]
        return self.conv(x, "fed", mixed, -np.array(spec.mean) * scale[:, 0])

    def finished(self, spec: ModelSpec, output: str = OUTPUT_NAME) -> onnx.ModelProto:
        """Return the checked model; the same arrays and onnx version give the same bytes.

        ValueError for layers that do not fit together.
        """
        from onnx import TensorProto, checker, helper

        images = helper.make_tensor_value_info(
            INPUT_NAME, TensorProto.UINT8, ["batch", spec.size, spec.size, 3]
        )
        gives = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", spec.dim])
        model = helper.make_model(
            helper.make_graph(self.nodes, spec.name, [images], [gives], self.weights),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="fer-audit",
        )
        try:
            checker.check_model(model, full_check=True)
        except (checker.ValidationError, RuntimeError) as exc:
            raise ValueError(f"the layers do not fit together: {exc}") from exc
        return model
