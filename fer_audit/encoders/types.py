"""What the encoders room hands on: a model as data, and the file it was exported to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a model is: enough to build it, feed it and cite it."""

    name: str
    task: Literal["embed", "classify"]
    size: int
    """Images are (size, size, 3) uint8 RGB."""
    dim: int
    """Numbers the model gives for each image."""
    colour: Literal["RGB", "BGR"]
    """Channel order the graph feeds the weights; the caller always gives RGB."""
    mean: tuple[float, float, float]
    """Subtracted, in the order of `colour`, on the 0-255 scale."""
    scale: tuple[float, float, float]
    """Multiplied after the mean is gone."""
    weights: str
    """Where the weights come from, in words."""
    licence: str
    citation: str
    caveat: str = ""
    """What a report made with this model must say."""


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """An ONNX file whose bytes were checked against its sidecar."""

    spec: ModelSpec
    path: Path
    sha256: str
    precision: Literal["fp32", "fp16", "int8"]
