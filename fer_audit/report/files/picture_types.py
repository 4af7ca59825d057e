"""The pictures of a run: what a report shows that is no number of its result.

They are made once, from vectors and packed pixels, and kept beside the result, so that a page can be drawn again
from the two alone.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MapMethod = Literal["pca", "umap"]
ColouringKind = Literal["cluster", "demographic", "label", "batch"]
SheetKind = Literal["nearest", "median", "farthest"]

MOST_POINTS = 50_000
"""Points on a map: more cannot be told apart on a screen, and each costs a page ten bytes."""
STEPS = 65_535
"""Steps of the grid on each axis of a map: a tenth of a pixel on a screen of 6,000."""


@dataclass(frozen=True, slots=True, eq=False)
class MapColouring:
    """One way to colour the points of a map."""

    name: str
    """The attribute; "cluster" for the clusters."""
    kind: ColouringKind
    groups: tuple[str, ...]
    """Names of the groups; a cluster's is its number."""
    codes: NDArray[np.int16]
    """(shown,) index into groups; -1 = not annotated."""


@dataclass(frozen=True, slots=True, eq=False)
class MapPoints:
    """The latent space laid flat."""

    method: MapMethod
    settings: tuple[tuple[str, str], ...]
    """(name, value) of what a caption should say of the method."""
    n: int
    """Images that came through every stage."""
    box: tuple[float, float, float, float]
    """Lowest x, lowest y, highest x, highest y of the points shown."""
    rows: NDArray[np.int32]
    """(shown,) row numbers, ascending: every image, or a uniform draw of `MOST_POINTS`."""
    grid: NDArray[np.uint16]
    """(shown, 2) x and y in steps of the box, 0 to 65,535."""
    colourings: tuple[MapColouring, ...]

    @property
    def shown(self) -> int:
        """Number of points."""
        return len(self.rows)

    @property
    def points(self) -> NDArray[np.float32]:
        """(shown, 2) x and y, to 1/65,535 of the box."""
        low, high = np.array(self.box[:2]), np.array(self.box[2:])
        found: NDArray[np.float32] = (low + self.grid / STEPS * (high - low)).astype(np.float32)
        return found


@dataclass(frozen=True, slots=True)
class MeanFace:
    """The mean of the images of a cluster, or of one group in it."""

    cluster: int
    attribute: str | None
    """None = the whole cluster."""
    group: str | None
    n: int
    """Images in the cell, one copy of each file."""
    drawn: int
    """Images the mean is of: all of them, or a uniform draw."""
    webp: bytes


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """Some faces of one cluster."""

    cluster: int
    kind: SheetKind
    """Nearest to the centre first, around the median distance, or farthest first."""
    n: int
    """Faces on the sheet, line by line."""
    blurred: bool
    webp: bytes


@dataclass(frozen=True, slots=True)
class Pictures:
    """Everything a report shows that is no number of its result."""

    map: MapPoints | None
    faces: tuple[MeanFace, ...]
    """By cluster; each cluster's own first, then by attribute and group."""
    sheets: tuple[ContactSheet, ...]
    """By cluster: nearest, median, farthest."""
    missing: tuple[tuple[str, str], ...]
    """(what, reason) of every picture that could not be made; each `what` once."""
    fingerprint: str = ""
    """What the pictures depend on; a run with another one makes them anew."""


def grid_of(
    points: NDArray[np.float32],
) -> tuple[tuple[float, float, float, float], NDArray[np.uint16]]:
    """Return the bounding box of (n, 2) finite points, n >= 1, and the (n, 2) steps of each inside it."""
    wide = points.astype(np.float64)
    low, high = wide.min(axis=0), wide.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    grid = np.rint((wide - low) / span * STEPS).astype(np.uint16)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1])), grid


def webp_size(webp: bytes) -> tuple[int, int]:
    """Return width and height of a plain lossy WebP, in pixels. RFC 6386, 9.1: 14 bits each, 26 bytes into the file."""
    width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", webp, 26))
    return width, height
