"""Faces that are parts of images: any source, and a box in each of its images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.sources.source import ImageBytes, ImageSource, Rows, source_of


@dataclass(frozen=True, slots=True, eq=False)
class Cropped:
    """n boxes in n images; an image may be there several times."""

    images: ImageSource
    boxes: NDArray[np.int32]
    """(n, 4) left, top, right, bottom in pixels; right and bottom lie outside."""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def there(self) -> NDArray[np.bool_]:
        """Return the (n,) mask of images that were there."""
        return self.images.there

    def take(self, rows: Rows) -> Cropped:
        """Return the boxes of those rows."""
        return Cropped(self.images.take(rows), self.boxes[rows])

    def read(self, row: int) -> ImageBytes:
        """Return the whole image, and the box in it."""
        left, top, right, bottom = self.boxes[row].tolist()
        return self.images.read(row)._replace(box=(left, top, right, bottom))

    def state(self) -> Iterator[bytes]:
        """Yield what the images depend on, and the boxes."""
        yield from self.images.state()
        yield self.boxes.astype("<i4").tobytes()

    def folders(self) -> frozenset[Path]:
        """Return the folders that hold the images."""
        return self.images.folders()

    def facts(self) -> dict[str, Any]:
        """Return images and boxes as JSON."""
        return {"kind": "cropped", "images": self.images.facts(), "boxes": self.boxes.tolist()}

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Cropped:
        """Return the boxes that `facts` describes."""
        return cls(source_of(facts["images"]), np.array(facts["boxes"], np.int32).reshape(-1, 4))
