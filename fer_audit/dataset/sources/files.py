"""The kinds of image sources but parquet: files, members of archives, cells of grey levels, boxes in any of them."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.sources.source import (
    FileFacts,
    ImageBytes,
    ImageSource,
    SourceError,
    read_part,
)

MAX_CELL_BYTES = 16_000_000
"""Of a cell of grey levels: a square of 2,000 pixels a side. fer2013.csv has 48."""

_GREYS = b"".join(bytes((grey, grey, grey, 0)) for grey in range(256))


@dataclass(frozen=True, slots=True, eq=False)
class Files(ImageSource):
    """Some files below a folder, as they were when they were listed."""

    KIND = "files"
    ARRAYS = (("sizes", "<i8"), ("mtimes", "<i8"))

    root: str
    """Absolute."""
    names: Sequence[str]
    """n POSIX paths below `root`; undecodable bytes as surrogate escapes."""
    sizes: NDArray[np.int64]
    """(n,) bytes; -1 = there never was a plain file of that name (missing, a link, a pipe)."""
    mtimes: NDArray[np.int64]
    """(n,) nanoseconds, -1 where the size is."""

    @property
    def there(self) -> NDArray[np.bool_]:
        """Return the (n,) mask of plain files."""
        return self.sizes >= 0

    def read(self, row: int) -> ImageBytes:
        """Return the bytes of a plain file that is still as it was listed."""
        name, size = self.names[row], int(self.sizes[row])
        facts = FileFacts(f"{self.root}/{name}", size, int(self.mtimes[row]))
        return ImageBytes(read_part(facts, 0, size), name)

    def folders(self) -> frozenset[Path]:
        """Return the folders that hold the files."""
        return frozenset(Path(self.root, name.rpartition("/")[0]) for name in self.names)


@dataclass(frozen=True, slots=True, eq=False)
class TarMembers(ImageSource):
    """Some plain members of some archives: read by place and length, nothing is extracted."""

    KIND = "tar"
    ARRAYS = (("file", "<i8"), ("offsets", "<i8"), ("lengths", "<i8"))

    files: tuple[FileFacts, ...]
    """The archives."""
    names: Sequence[str]
    """n ids: each ends as its name in the archive does."""
    file: NDArray[np.int32]
    """(n,) index into `files`."""
    offsets: NDArray[np.int64]
    """(n,) first byte of the data in the archive."""
    lengths: NDArray[np.int64]
    """(n,) bytes"""

    def read(self, row: int) -> ImageBytes:
        """Return a member, if its archive is still as it was listed."""
        facts = self.files[self.file[row]]
        data = read_part(facts, int(self.offsets[row]), int(self.lengths[row]))
        return ImageBytes(data, self.names[row])


@dataclass(frozen=True, slots=True, eq=False)
class PixelCells(ImageSource):
    """Some cells of one text file, as fer2013.csv has them: grey levels of square images, 0 to 255, row by row from the top."""

    KIND = "pixels"
    ARRAYS = (("offsets", "<i8"), ("lengths", "<i8"))

    files: tuple[FileFacts, ...]
    """The one file."""
    offsets: NDArray[np.int64]
    """(n,) first byte of the cell in the file."""
    lengths: NDArray[np.int64]
    """(n,) bytes"""

    def read(self, row: int) -> ImageBytes:
        """Return a cell as a BMP. Raises SourceError, also truncated (no square number of values), corrupt, too_large."""
        length = int(self.lengths[row])
        if length > MAX_CELL_BYTES:
            raise SourceError("too_large")
        return ImageBytes(grey_bmp(read_part(self.files[0], int(self.offsets[row]), length)), "")


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


@dataclass(frozen=True, slots=True, eq=False)
class Cropped(ImageSource):
    """n boxes in n images of any source; an image may be there several times."""

    KIND = "cropped"
    ARRAYS = (("boxes", "<i4"),)

    images: ImageSource
    boxes: NDArray[np.int32]
    """(n, 4) left, top, right, bottom in pixels; right and bottom lie outside."""

    @property
    def there(self) -> NDArray[np.bool_]:
        """Return the (n,) mask of images that were there."""
        return self.images.there

    def read(self, row: int) -> ImageBytes:
        """Return the whole image, and the box in it."""
        left, top, right, bottom = self.boxes[row].tolist()
        return self.images.read(row)._replace(box=(left, top, right, bottom))
