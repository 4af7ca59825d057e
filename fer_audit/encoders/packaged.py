"""Networks as packages carry them: TensorFlow.js, Keras' HDF5, and the two classifiers of @vladmandic/face-api.

Layers and nodes of the networks in the catalog are known; every other is an error that names it. No code of a file is run.
"""

from __future__ import annotations

import base64
import io
import json
import math
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.encoders.network import Network

if TYPE_CHECKING:
    import h5py

MAX_BYTES = 400_000_000
"""Of all arrays of a network, as float32. Far above the 94 MB of ResNet50."""
_MAX_JSON_BYTES = 10_000_000
"""Of a model.json; ResNet50's has 0.1 MB."""
_KINDS = {"float32": "<f4", "int32": "<i4", "float16": "<f2", "uint8": "<u1", "uint16": "<u2"}

Reader = Callable[[str, int], bytes]
"""Name of a file and the most bytes it may have -> its bytes."""
Arrays = dict[str, NDArray[Any]]
_KERNELS = ("_FusedConv2D", "Conv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative")
_MAX_CONFIG_BYTES = 10_000_000
_ACTIVATIONS = {"relu": "Relu", "softmax": "Softmax"}


def read_document(read: Reader, name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return a JSON file of a package; ValueError where it is none."""
    return json.loads(read(name, _MAX_JSON_BYTES))


def read_weights(read: Reader, folder: str, manifest: Sequence[dict[str, Any]]) -> Arrays:
    """Return the arrays of a weights manifest, float32 or int32; `folder` stands before the names of its shards.

    KeyError, TypeError or ValueError for a manifest that does not fit its shards to the last byte.
    """
    arrays: Arrays = {}
    left = MAX_BYTES
    for group in manifest:
        parts = []
        for name in group["paths"]:
            parts.append(read(f"{folder}{name}", left))
            left -= len(parts[-1])
        blob, position = b"".join(parts), 0
        for entry in group["weights"]:
            array = _array(blob, position, entry)
            arrays[entry["name"]], position = array[0], array[1]
        if position != len(blob):
            raise ValueError(f"{len(blob) - position} bytes are left over")
    return arrays


def _array(blob: bytes, start: int, entry: dict[str, Any]) -> tuple[NDArray[Any], int]:
    """Return an array and where the next begins."""
    shape = tuple(map(operator.index, entry["shape"]))
    quantized = entry.get("quantization")
    kind = np.dtype(_KINDS[(quantized or entry)["dtype"]])
    stop = start + math.prod(shape) * kind.itemsize
    if min(shape, default=0) < 0 or stop > len(blob):
        raise ValueError(f"{entry['name']} has the shape {shape}")
    stored = np.frombuffer(blob[start:stop], kind).reshape(shape)
    if quantized and "scale" in quantized:
        scale, least = float(quantized["scale"]), float(quantized["min"])
        return (stored * np.float64(scale) + least).astype(np.float32), stop
    return stored.astype("<i4" if entry["dtype"] == "int32" else "<f4"), stop


def add_graph(
    network: Network, image: str, nodes: Sequence[dict[str, Any]], arrays: Arrays
) -> str:
    """Add a graph-model's nodes, which stand in the order they run, and return the name of what the last one gives.

    `image` is the network's input, NCHW. KeyError names a node or an array that is missing, ValueError one that is not known.
    """
    values: dict[str, str] = {}
    value = image
    for node in nodes:
        name, kind, inputs = node["name"], node["op"], node.get("input", [])
        if kind == "Const":
            continue
        attributes = node.get("attr", {})
        if kind == "Placeholder":
            value = image
        elif kind == "Identity":
            value = values[inputs[0]]
        elif kind in _KERNELS:
            value = _convolved(network, node, [values[inputs[0]], *inputs[1:]], arrays)
        elif kind in {"Add", "AddV2"}:
            value = network.add("Add", [values[each] for each in inputs], name)
        elif kind == "Relu":
            value = network.add("Relu", [values[inputs[0]]], name)
        elif kind == "Softmax":
            value = network.add("Softmax", [values[inputs[0]]], name, axis=1)
        elif kind == "MaxPool":
            side, stride = _square(attributes["ksize"]), _square(attributes["strides"])
            padding = _text(attributes["padding"]["s"])
            value = network.max_pool(values[inputs[0]], name, side, stride, padding)
        elif kind == "Mean" and arrays[inputs[1]].tolist() == [1, 2]:
            value = network.averaged(values[inputs[0]], name)
        else:
            raise ValueError(f"{name} is {kind}, which is not converted")
        values[name] = value
    return value


def _convolved(
    network: Network, node: dict[str, Any], inputs: Sequence[str], arrays: Arrays
) -> str:
    attributes, name = node["attr"], node["name"]
    fused = [_text(each) for each in attributes.get("fused_ops", {}).get("list", {}).get("s", [])]
    dilations = attributes.get("dilations", {"list": {"i": [1, 1, 1, 1]}})
    if fused not in ([], ["BiasAdd"], ["BiasAdd", "Relu"]) or _square(dilations) != 1:
        raise ValueError(f"{name} is a convolution with {fused or 'dilation'}")
    if _text(attributes["data_format"]["s"]) != "NHWC":
        raise ValueError(f"{name} is not NHWC")
    value = network.conv(
        inputs[0],
        name,
        arrays[inputs[1]],
        arrays[inputs[2]] if fused else None,
        stride=_square(attributes["strides"]),
        padding=_text(attributes["padding"]["s"]),
        depthwise="Depthwise" in node["op"],
    )
    return network.relu(value) if "Relu" in fused else value


def _text(value: str) -> str:
    return base64.b64decode(value).decode()


def _square(attribute: dict[str, Any]) -> int:
    one, height, width, last = (int(each) for each in attribute["list"]["i"])
    if (one, last) != (1, 1) or height != width:
        raise ValueError(f"a window of {height} x {width}")
    return height


class MeasuredArrays:
    """The arrays of an HDF5 file: no links, nothing from another file, and not more bytes than a network has."""

    def __init__(self, opened: h5py.Group) -> None:
        self._opened = opened
        self._left = MAX_BYTES

    def read(self, *words: str) -> NDArray[np.float32]:
        """Return the array at a path; KeyError or ValueError where there is none that may be read."""
        import h5py

        place: Any = self._opened
        name = "/".join(words)
        for word in words:
            # a link may name another file, and a dataset may keep its numbers in one
            if not isinstance(place.get(word, getlink=True), h5py.HardLink):
                raise KeyError(f"{name} is missing, or a link")
            place = place[word]
        if not isinstance(place, h5py.Dataset) or place.external or place.is_virtual:
            raise ValueError(f"{name} is not an array of this file")
        self._left -= place.size * max(place.dtype.itemsize, 4)
        if self._left < 0:
            raise ValueError(f"{name} has the shape {place.shape}")
        return np.asarray(place, dtype=np.float32)


def add_layers(network: Network, image: str, data: bytes) -> str:
    """Add the layers of a functional Keras model and return the name of what the last one gives.

    Raises what `packages.UNREADABLE` lists for a file of another kind, ValueError for a layer that is not known.
    """
    import h5py

    with h5py.File(io.BytesIO(data), "r") as opened:
        if opened.attrs.get_id("model_config").get_storage_size() > _MAX_CONFIG_BYTES:
            raise ValueError("the configuration is too long")
        layers = json.loads(opened.attrs["model_config"])["config"]["layers"]
        weights = opened.get("model_weights", getlink=True)
        if not isinstance(weights, h5py.HardLink):
            raise KeyError("model_weights is missing, or a link")
        arrays = MeasuredArrays(opened["model_weights"])
        values: dict[str, str] = {}
        value = image
        for layer in layers:
            name, kind, config = layer["name"], layer["class_name"], layer["config"]
            inputs = [values[each[0]] for node in layer["inbound_nodes"] for each in node]
            if kind != "InputLayer":
                value = _added(network, kind, config, inputs, _Arrays(arrays, name))
            values[name] = value
        return value


class _Arrays:
    """The arrays of one layer, which Keras keeps in a folder named like it, twice, the second time with a number."""

    def __init__(self, arrays: MeasuredArrays, layer: str) -> None:
        self._arrays, self._layer = arrays, layer

    def __call__(self, array: str) -> NDArray[np.float32]:
        return self._arrays.read(self._layer, f"{self._layer}_1", f"{array}:0")


def _added(
    network: Network, kind: str, config: dict[str, Any], inputs: list[str], arrays: _Arrays
) -> str:
    name = config["name"]
    if (
        config.get("data_format", "channels_last") != "channels_last"
        or config.get("activation", "linear") not in {"linear", *_ACTIVATIONS}
        or list(config.get("dilation_rate", (1, 1))) != [1, 1]
    ):
        raise ValueError(f"{name} is a {kind} of a kind that is not converted")
    if kind == "Add":
        return network.add("Add", inputs, name)
    (x,) = inputs
    if kind == "GlobalAveragePooling2D":
        return network.averaged(x, name)
    if kind == "MaxPooling2D":
        side, stride = _side(config["pool_size"]), _side(config["strides"])
        return network.max_pool(x, name, side, stride, config["padding"].upper())
    if kind == "BatchNormalization":
        words = ("gamma", "beta", "moving_mean", "moving_variance")
        parts = [network.constant(f"{name}_{word}", arrays(word)) for word in words]
        epsilon = float(config["epsilon"])
        return network.add("BatchNormalization", [x, *parts], name, epsilon=epsilon)
    if kind in {"Conv2D", "SeparableConv2D"}:
        bias = arrays("bias") if config["use_bias"] else None
        stride, padding = _side(config["strides"]), config["padding"].upper()
        if kind == "Conv2D":
            x = network.conv(x, name, arrays("kernel"), bias, stride=stride, padding=padding)
        else:
            deep = arrays("depthwise_kernel")
            x = network.conv(
                *(x, f"{name}_depthwise", deep), stride=stride, padding=padding, depthwise=True
            )
            x = network.conv(x, name, arrays("pointwise_kernel"), bias)
    elif kind != "Activation":
        raise ValueError(f"{name} is a {kind}, which is not converted")
    activation = config.get("activation", "linear")
    if activation == "linear":
        return x
    axis = {"axis": 1} if activation == "softmax" else {}
    return network.add(_ACTIVATIONS[activation], [x], f"{name}_{activation}", **axis)


def _side(sides: list[int]) -> int:
    height, width = (int(side) for side in sides)
    if height != width:
        raise ValueError(f"a window of {height} x {width}")
    return height


def add_expression(network: Network, image: str, arrays: Arrays) -> str:
    """Add four densely joined blocks of separable convolutions: (n, 7) probabilities."""
    x = image
    for block in range(4):
        x = _dense_block(network, x, f"dense{block}", arrays, first=block == 0)
    x = _pooled(network, x)
    return network.add("Softmax", [_dense(network, x, "fc", arrays)], "expression", axis=1)


def add_age_gender(network: Network, image: str, arrays: Arrays) -> str:
    """Add the small Xception: (n, 3), the age in years and the probabilities of male and female."""
    x = network.relu(_plain(network, image, "entry_flow/conv_in", arrays, stride=2))
    x = _reduction_block(network, x, "entry_flow/reduction_block_0", arrays, first=True)
    x = _reduction_block(network, x, "entry_flow/reduction_block_1", arrays)
    for block in range(2):
        entering, name = x, f"middle_flow/main_block_{block}"
        for part in range(3):
            x = _separable(network, network.relu(x), f"{name}/separable_conv{part}", arrays)
        x = network.add("Add", [x, entering], f"{name}/add")
    x = _reduction_block(network, x, "exit_flow/reduction_block", arrays)
    x = network.relu(_separable(network, x, "exit_flow/separable_conv", arrays))
    x = _pooled(network, x)
    gender = _dense(network, x, "fc/gender", arrays)
    shares = network.add("Softmax", [gender], "gender", axis=1)
    return network.add("Concat", [_dense(network, x, "fc/age", arrays), shares], "both", axis=1)


def _dense_block(network: Network, x: str, name: str, arrays: Arrays, *, first: bool) -> str:
    """Add a block in which every convolution reads the sum of all before it."""
    start = _plain if first else _separable
    total = start(network, x, f"{name}/conv0", arrays, stride=2)
    for part in (1, 2, 3):
        entering = network.relu(total)
        total = entering if part == 1 else total
        y = _separable(network, entering, f"{name}/conv{part}", arrays)
        total = network.add("Add", [total, y], f"{name}/add{part}")
    return network.relu(total)


def _reduction_block(
    network: Network, x: str, name: str, arrays: Arrays, *, first: bool = False
) -> str:
    y = x if first else network.add("Relu", [x], f"{name}/relu")
    y = network.relu(_separable(network, y, f"{name}/separable_conv0", arrays))
    y = _separable(network, y, f"{name}/separable_conv1", arrays)
    y = network.max_pool(y, f"{name}/pool", 3, 2, "SAME")
    shortcut = _plain(network, x, f"{name}/expansion_conv", arrays, stride=2)
    return network.add("Add", [y, shortcut], f"{name}/add")


def _plain(network: Network, x: str, name: str, arrays: Arrays, *, stride: int) -> str:
    kernel, bias = arrays[f"{name}/filters"], arrays[f"{name}/bias"]
    return network.conv(x, name, kernel, bias, stride=stride)


def _separable(network: Network, x: str, name: str, arrays: Arrays, *, stride: int = 1) -> str:
    kernel = arrays[f"{name}/depthwise_filter"]
    x = network.conv(x, f"{name}/depthwise", kernel, stride=stride, depthwise=True)
    return network.conv(x, name, arrays[f"{name}/pointwise_filter"], arrays[f"{name}/bias"])


def _dense(network: Network, x: str, name: str, arrays: Arrays) -> str:
    return network.dense(x, name, arrays[f"{name}/weights"], arrays[f"{name}/bias"])


def _pooled(network: Network, x: str) -> str:
    """Add the mean over 7 x 7, which is all of what is left of 112 x 112."""
    return network.averaged(x, "pooled")
