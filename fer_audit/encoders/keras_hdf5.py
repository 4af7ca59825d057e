"""Networks in Keras' HDF5 files: the layers its configuration lists, with the arrays that lie beneath.

Layers of a few kinds are known, every other is an error that names it. No code of the file is run: a Lambda layer is refused.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.encoders.network import Network
from fer_audit.encoders.tfjs import MAX_BYTES

if TYPE_CHECKING:
    import h5py

_MAX_CONFIG_BYTES = 10_000_000
_ACTIVATIONS = {"relu": "Relu", "softmax": "Softmax"}


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
        side, stride = _square(config["pool_size"]), _square(config["strides"])
        return network.max_pool(x, name, side, stride, config["padding"].upper())
    if kind == "BatchNormalization":
        words = ("gamma", "beta", "moving_mean", "moving_variance")
        parts = [network.constant(f"{name}_{word}", arrays(word)) for word in words]
        epsilon = float(config["epsilon"])
        return network.add("BatchNormalization", [x, *parts], name, epsilon=epsilon)
    if kind in {"Conv2D", "SeparableConv2D"}:
        bias = arrays("bias") if config["use_bias"] else None
        stride, padding = _square(config["strides"]), config["padding"].upper()
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


def _square(sides: list[int]) -> int:
    height, width = (int(side) for side in sides)
    if height != width:
        raise ValueError(f"a window of {height} x {width}")
    return height
