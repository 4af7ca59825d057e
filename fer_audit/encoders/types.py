"""Results of the encoders package: a model's description, its exported file, and how int8 agrees with fp32."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_audit.errors import ModelError
from fer_audit.text import coefficient, percent

MAX_MODEL_BYTES = 2_000_000_000
"""protobuf cannot hold more; larger models need external data, which we refuse."""


@dataclass(frozen=True, slots=True)
class Head:
    """One thing a classifier says of a face."""

    name: str
    """What it is about: expression, gender, age."""
    classes: tuple[str, ...] = ()
    """In the order of its probabilities; empty for a plain number, such as years."""

    @property
    def width(self) -> int:
        """Return how many of the model's numbers are this head's."""
        return max(1, len(self.classes))


def columns_of(heads: Iterable[Head]) -> Iterator[tuple[Head, slice]]:
    """Yield each head with its place among the numbers of its model."""
    start = 0
    for head in heads:
        yield head, slice(start, start + head.width)
        start += head.width


PADDED = "Images that are not square lie in the middle of a black square."
"""What reports say of a model that is fed so."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a model is: enough to build it, feed it and cite it."""

    name: str
    task: Literal["embed", "classify"]
    size: int
    """Images are (size, size, 3) uint8 RGB."""
    dim: int
    """Numbers the model gives for each image."""
    colour: Literal["RGB", "BGR", "grey"]
    """Channels the graph feeds the weights; the caller always gives RGB."""
    mean: tuple[float, ...]
    """Subtracted, one a channel in the order of `colour`, on the 0-255 scale."""
    scale: tuple[float, ...]
    """Multiplied after the mean is gone."""
    weights: str
    """Where the weights come from, in words."""
    licence: str
    citation: str
    caveat: str = ""
    """What a report made with this model must say."""
    trained_on: str = ""
    """Data the weights have seen, as far as that is known."""
    heads: tuple[Head, ...] = ()
    """What the numbers of a classifier are, in their order; empty for an encoder."""
    padded: bool = False
    """Whether images are padded to a black square; otherwise they are stretched to one."""
    batch: int | None = None
    """Images the graph takes at a time, where it takes no other number of them."""


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """An ONNX file whose bytes were checked against its sidecar."""

    spec: ModelSpec
    path: Path
    sha256: str
    precision: Literal["fp32", "fp16", "int8"]
    reduced_range: bool = False
    """Whether int8 weights keep to 7 bits, so that no processor's 16-bit sums saturate."""

    def read(self) -> bytes:
        """Return the file's bytes, which are those that were checked, or ModelError: another file may stand there by now.

        onnxruntime gets these bytes and not the path, so that what was hashed is what runs. Next to the path that costs
        the file's size (ResNet50: 94 MB) while the session is made, and nothing afterwards.
        """
        data = read_model(self.path)
        found = hashlib.sha256(data).hexdigest()
        if found != self.sha256:
            raise ModelError(
                f"{self.path} was changed while it was in use: its sha256 is {found}, it was {self.sha256}",
                hint="Run the same command again.",
            )
        return data


@dataclass(frozen=True, slots=True)
class ComputedModel:
    """An encoder that a library computes: it has no weights, and no file."""

    spec: ModelSpec
    sha256: str
    """Hash of all that its vectors depend on: the library's version and how we call it."""
    library: str
    """What computes it, with its version; stands where a network has its execution provider."""
    vector: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    """(size, size, 3) RGB -> (dim,)"""
    precision: Literal["fp32"] = "fp32"


Model = ExportedModel | ComputedModel


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near an int8 model is to the float model it was made from, on held-out images."""

    images: int
    """Held out: none of them was used to calibrate."""
    calibration_images: int
    error: float
    """Length of the differences of the two models' vectors over that of the vectors' distances from their mean, all images
    together: 0 is equal, 1 is no better than one vector for everybody. Cosines do not see that: vectors of any two faces
    may have one near 1."""
    cosine_mean: float
    """Mean cosine of the two models' vectors of an image."""
    cosine_low: float
    """Its 1 % quantile over images."""
    cosine_min: float
    ari: float | None
    """Adjusted Rand index of the two models' clusters at k = 4, both from one start; None where there are no 4 clusters."""
    speed_ratio: float
    """Images/s of int8 over those of fp32, batches alternating, on the machine that made the model."""

    def sentence(self) -> str:
        """Return what every report made with the model must say. Speed is no part of it."""
        clusters = (
            ""
            if self.ari is None
            else f"; their clusters at k = 4, from one start, agree at ARI {coefficient(self.ari)}"
        )
        return (
            f"int8, calibrated on {self.calibration_images} images of the set: on {self.images} held-out images its vectors "
            f"are off fp32's by {percent(self.error)} of their spread, mean cosine {coefficient(self.cosine_mean, 4)} "
            f"(1 % quantile {coefficient(self.cosine_low, 4)}, least {coefficient(self.cosine_min, 4)}){clusters}."
        )


def read_model(path: Path) -> bytes:
    """Return a model's bytes; ModelError when it cannot be read or is larger than protobuf allows."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_MODEL_BYTES:
                raise ModelError(f"{path} is larger than {MAX_MODEL_BYTES / 1e9:g} GB")
            return file.read(size)  # not more: a file that grows is not what was checked
    except OSError as exc:
        raise ModelError(f"Cannot read the model {path}: {exc.strerror}") from exc
