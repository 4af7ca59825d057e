"""How a user reads faces: Pillow, bicubic, float32, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def face_batches(setup: dict[str, Any]) -> Iterator[NDArray[np.float32]]:
    """Yield (batch, 3, size, size) float32 RGB minus the mean, C order; the last batch may be short."""
    folder, names, batch, size = (setup[key] for key in ("faces", "names", "batch", "size"))
    mean = np.array(setup["mean"], np.float32)
    for start in range(0, len(names), batch):
        images = []
        for name in names[start : start + batch]:
            with Image.open(Path(folder) / name) as image:
                resized = image.convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
            images.append((np.asarray(resized, np.float32) - mean).transpose(2, 0, 1))
        yield np.stack(images)
