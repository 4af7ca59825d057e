"""Results of the pack package: decoded pixels, and the facts recorded for each file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARD_ROWS = 256
"""256 x 224 x 224 x 3 = 38.5 MB: small enough to hold three, large enough to write in one go."""

STYLE_NAMES = (
    "luma_mean",
    "luma_std",
    "saturation",
    "colourfulness",
    "sharpness",
    "border_red",
    "border_green",
    "border_blue",
    "grey",
    "bytes_per_pixel",
)
"""Columns of `style`; `fer_audit.pack.rows` defines each."""


MAY_PASS = frozenset(
    ("timeout", "worker_crashed", "out_of_memory", "unreadable", "changed_during_run")
)
"""Reasons that were the machine's or the moment's doing: the same file may come through another day."""

ROW = np.dtype(
    [
        ("ok", np.bool_),
        ("reasons", "U32"),
        ("flags", "U64"),
        ("sha256", "S64"),
        ("style", np.float32, (len(STYLE_NAMES),)),
        ("widths", np.int32),
        ("heights", np.int32),
    ]
)
"""The columns of `PackRows` and what each holds."""


@dataclass(frozen=True, slots=True, eq=False)
class PackRows:
    """What is known of each file once its bytes were read. Row i is image i."""

    ok: NDArray[np.bool_]
    """(n,) whether the image could be decoded."""
    reasons: NDArray[np.str_]
    """(n,) why not, e.g. "truncated"; "" where ok."""
    flags: NDArray[np.str_]
    """(n,) what a reader of an ok row should know, e.g. "png_named_jpg"; "" when nothing."""
    sha256: NDArray[np.bytes_]
    """(n,) S64 hex digest of the file's bytes; b"" where they could not be read."""
    style: NDArray[np.float32]
    """(n, len(STYLE_NAMES)) style measures; zero where not ok."""
    widths: NDArray[np.int32]
    """(n,) pixels of the file's image before resizing; 0 where not ok."""
    heights: NDArray[np.int32]
    """(n,) pixels, the same."""


@dataclass(frozen=True, slots=True, eq=False)
class PackShard:
    """A contiguous range of rows, start <= i < stop."""

    start: int
    stop: int
    pixels: NDArray[np.uint8]
    """(stop - start, h, w, 3) RGB, C order, zero where not ok; a read-only memory map when it is kept."""
    rows: PackRows


def shard_count(n_images: int) -> int:
    """Return the number of shards of a set."""
    return -(-n_images // SHARD_ROWS)
