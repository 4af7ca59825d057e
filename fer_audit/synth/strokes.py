"""Pen strokes in whole pixels on a canvas twice the size of the picture."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from PIL import ImageDraw

SIDE = 200
"""Pixels along each edge of a finished picture."""
CANVAS = 2 * SIDE
"""Drawn at twice the size and averaged down: edges come out smooth, and no font or filter is needed."""

Colour: TypeAlias = tuple[int, int, int]


def oval(
    pen: ImageDraw.ImageDraw, x: int, y: int, radius_x: int, radius_y: int, fill: Colour
) -> None:
    """Fill the ellipse around (x, y)."""
    pen.ellipse((x - radius_x, y - radius_y, x + radius_x, y + radius_y), fill=fill)


def mixed(first: Colour, second: Colour, part: int, whole: int) -> Colour:
    """Return the colour `part / whole` of the way from the first to the second."""
    red, green, blue = (a + (b - a) * part // whole for a, b in zip(first, second, strict=True))
    return red, green, blue


def darker(colour: Colour, per_cent: int) -> Colour:
    """Return the colour with so much of its light taken away."""
    return mixed(colour, (0, 0, 0), per_cent, 100)


def jittered(colour: Colour, rng: np.random.Generator, *, by: int) -> Colour:
    """Return the colour with up to `by` levels added to or taken from each channel."""
    red, green, blue = (
        min(255, max(0, level + int(shift)))
        for level, shift in zip(colour, rng.integers(-by, by + 1, size=3), strict=True)
    )
    return red, green, blue
