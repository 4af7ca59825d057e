"""TensorFlow's layers in numpy and float64, written from its documentation: NHWC, and SAME with the odd row at the end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def windows(x: Array, side: int, stride: int, padding: str, fill: float = 0.0) -> Array:
    """Return (n, height, width, channels, side, side) windows."""
    if padding == "SAME":
        before_after = []
        for length in x.shape[1:3]:
            needed = max((-(-length // stride) - 1) * stride + side - length, 0)
            before_after.append((needed // 2, needed - needed // 2))
        x = np.pad(x, [(0, 0), *before_after, (0, 0)], constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(1, 2))
    result: Array = view[:, ::stride, ::stride]
    return result


def conv(x: Array, kernel: Array, stride: int = 1, padding: str = "SAME") -> Array:
    """Return a convolution with a (side, side, in, out) kernel."""
    y: Array = np.einsum("nhwcij,ijco->nhwo", windows(x, len(kernel), stride, padding), kernel)
    return y


def depthwise(x: Array, kernel: Array, stride: int = 1, padding: str = "SAME") -> Array:
    """Return a depthwise convolution: channel c gives the channels c * times to c * times + times - 1."""
    y = np.einsum("nhwcij,ijcm->nhwcm", windows(x, len(kernel), stride, padding), kernel)
    result: Array = y.reshape(*y.shape[:3], -1)
    return result


def max_pool(x: Array, side: int, stride: int, padding: str = "SAME") -> Array:
    """Return the largest of each window; padding never is."""
    pooled: Array = windows(x, side, stride, padding, -np.inf).max(axis=(-2, -1))
    return pooled


def relu(x: Array) -> Array:
    """Return x without what is below zero."""
    return np.maximum(x, 0)


def softmax(x: Array) -> Array:
    """Return shares over the last axis."""
    shares = np.exp(x - x.max(axis=-1, keepdims=True))
    result: Array = shares / shares.sum(axis=-1, keepdims=True)
    return result
