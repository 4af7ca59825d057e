"""Which network embeds the images, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fer_audit.config.checks import at_least

Precision = Literal["fp32", "fp16", "int8"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Which network embeds the images, and how."""

    model: str = "resnet50-keras"
    """Catalog name, or the path of an .onnx file with its sidecar."""
    precision: Precision = "fp32"
    """Numeric precision of the weights."""
    batch_size: int = 16
    """Images a model call; fixed and padded, because another batch can change the last bits."""

    def __post_init__(self) -> None:
        """Refuse an empty batch."""
        at_least(self, 1, "batch_size")
