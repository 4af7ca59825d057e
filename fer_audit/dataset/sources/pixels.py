"""Images that are written as numbers in a cell of a text file, as fer2013.csv has them."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.sources.source import FileFacts, ImageBytes, Rows, SourceError, read_part

MAX_CELL_BYTES = 16_000_000
"""A square of 2,000 pixels a side. fer2013.csv has 48."""

_GREYS = b"".join(bytes((grey, grey, grey, 0)) for grey in range(256))


@dataclass(frozen=True, slots=True, eq=False)
class PixelCells:
    """Some cells of one text file: grey levels of square images, 0 to 255, row by row from the top."""

    file: FileFacts
    offsets: NDArray[np.int64]
    """(n,) first byte of the cell in the file."""
    lengths: NDArray[np.int64]
    """(n,) bytes"""

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def there(self) -> NDArray[np.bool_]:
        """Return (n,) True: every listed cell is in the file."""
        return np.ones(len(self), np.bool_)

    def take(self, rows: Rows) -> PixelCells:
        """Return the cells of those rows."""
        return PixelCells(self.file, self.offsets[rows], self.lengths[rows])

    def read(self, row: int) -> ImageBytes:
        """Return a cell as a BMP. Raises SourceError, also truncated (no square number of values), corrupt, too_large."""
        length = int(self.lengths[row])
        if length > MAX_CELL_BYTES:
            raise SourceError("too_large")
        return ImageBytes(grey_bmp(read_part(self.file, int(self.offsets[row]), length)), "")

    def state(self) -> Iterator[bytes]:
        """Yield the file's name, size and time, and the places of the cells."""
        yield self.file.state()
        yield self.offsets.astype("<i8").tobytes()
        yield self.lengths.astype("<i8").tobytes()

    def folders(self) -> frozenset[Path]:
        """Return the folder of the file."""
        return frozenset((Path(self.file.path).parent,))

    def facts(self) -> dict[str, Any]:
        """Return the cells as JSON."""
        return {
            "kind": "pixels",
            "file": self.file,
            "offsets": self.offsets.tolist(),
            "lengths": self.lengths.tolist(),
        }

    @classmethod
    def of(cls, facts: dict[str, Any]) -> PixelCells:
        """Return the cells that `facts` describes."""
        offsets, lengths = (np.array(facts[name], np.int64) for name in ("offsets", "lengths"))
        return cls(FileFacts(*facts["file"]), offsets, lengths)


def grey_bmp(cell: bytes) -> bytes:
    """Return the BMP (8 bits, grey palette) of a cell such as b"70 80 82 ...": the numbers of a square, row by row.

    Raises SourceError: empty, corrupt for what is no number of 0 to 255, truncated when they fill no square.
    """
    words = cell.split()
    if not words:
        raise SourceError("empty")
    if max(map(len, words)) > 3 or not b"".join(words).isdigit():
        raise SourceError("corrupt")
    values = np.array(words).astype(np.int64)
    if values.max() > 255:
        raise SourceError("corrupt")
    side = math.isqrt(len(values))
    if side * side != len(values):
        raise SourceError("truncated")
    width = -(-side // 4) * 4  # lines are padded to four bytes, and the lowest comes first
    lines = np.zeros((side, width), np.uint8)
    lines[:, :side] = values.reshape(side, side)[::-1]
    start = 14 + 40 + len(_GREYS)
    head = struct.pack("<2sIHHI", b"BM", start + lines.size, 0, 0, start)
    info = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 0, lines.size, 2835, 2835, 256, 0)
    return head + info + _GREYS + lines.tobytes()
