"""Files -> rows: everything recorded of each file while its bytes are in the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_audit.pack.decode import DecodeError, decode_image
from fer_audit.pack.read import ListedFiles
from fer_audit.pack.style import style_of
from fer_audit.pack.types import ROW, PackRows


def decode_files(files: ListedFiles, pixels: NDArray[np.uint8], rows: PackRows) -> None:
    """Fill (n, size, size, 3) zeros and n empty rows from n files."""
    for index, file_id in enumerate(files.ids):
        try:
            data = files.read(index)
            rows.sha256[index] = hashlib.sha256(data).hexdigest().encode()
            image = decode_image(data, file_id, pixels.shape[1])
        except DecodeError as exc:  # whatever is wrong with a file becomes its row's reason
            rows.reasons[index] = str(exc)
            continue
        pixels[index] = image.pixels
        rows.ok[index] = True
        rows.flags[index] = image.flags
        rows.widths[index] = image.width
        rows.heights[index] = image.height
        rows.style[index] = style_of(
            image.pixels, file_bytes=len(data), width=image.width, height=image.height
        )


def empty_rows(n: int) -> PackRows:
    """Return n writable rows of which nothing is known."""
    return PackRows(**{name: np.zeros(n, ROW[name]) for name in PackRows.__slots__})


def part_of(rows: PackRows, start: int, stop: int) -> PackRows:
    """Return a view of the rows start <= i < stop."""
    return PackRows(**{name: getattr(rows, name)[start:stop] for name in PackRows.__slots__})


def copy_rows(source: PackRows, target: PackRows) -> None:
    """Write n rows over n others."""
    for name in PackRows.__slots__:
        getattr(target, name)[:] = getattr(source, name)


def concatenate_rows(parts: Sequence[PackRows]) -> PackRows:
    """Return the rows of several shards as one."""
    parts = parts or [empty_rows(0)]
    return PackRows(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in PackRows.__slots__
        }
    )
