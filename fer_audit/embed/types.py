"""Results of the embed package: one vector for each image, the model and the provider."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model runs."""

    provider: str
    """Execution provider, e.g. "CUDAExecutionProvider"."""
    devices: tuple[int, ...]
    """Numbers of its devices, one session each; (0,) for the CPU."""


class Session(Protocol):
    """An opened model: uint8 (n <= batch_size, size, size, 3) in, float32 (n, dim) out."""

    batch_size: int
    dim: int

    def stream(self, batches: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """Yield the vectors of every batch, in order."""

    def close(self) -> None:
        """End its threads."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model and the hardware path that really made the vectors."""

    name: str
    """Name of the encoder."""
    sha256: str
    """Hash of the model file that was run."""
    provider: str
    """Execution provider that was actually used, not the one that was asked for, such as CPUExecutionProvider; of an encoder
    without a network the library that computed it."""
    precision: Literal["fp32", "fp16", "int8"]
    """Numeric precision of the weights: fp32, fp16 or int8."""
    dim: int
    """Length of an embedding."""
    caveat: str = ""
    """What a reader has to know of this model; empty when there is nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Vectors of every image. Row i is image i."""

    vectors: NDArray[np.float32]
    """(n, d) memory map as the model gave them: no NaN, zero where not ok."""
    ok: NDArray[np.bool_]
    """(n,) decoded and embedded."""
    reasons: NDArray[np.str_]
    """(n,) why not; "" where ok."""
    model: ModelFacts
    fingerprint: str
