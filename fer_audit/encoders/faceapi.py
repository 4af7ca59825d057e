"""The two classifiers of @vladmandic/face-api, whose package holds their weights and, as code, how they are joined.

Written from src/faceFeatureExtractor and src/xception of the package; none of its code is run.
"""

from __future__ import annotations

from fer_audit.encoders.network import Network
from fer_audit.encoders.tfjs import Arrays


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
