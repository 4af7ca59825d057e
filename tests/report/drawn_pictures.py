"""Pictures with something in every field."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from fer_audit.report.files import pictures

SHOWN = 7


def webp(width: int = 12, height: int = 8, *, lossless: bool = False, exif: bytes = b"") -> bytes:
    """Return a picture of slopes; plain unless something else is asked for."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 9 % 256, y * 9 % 256, x + y], axis=2).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=lossless, exif=exif)
    return buffer.getvalue()


def some_points() -> pictures.MapPoints:
    """Return a map of seven of nine images in two colourings."""
    points = np.random.default_rng(0).normal(size=(SHOWN, 2)).astype(np.float32)
    box, grid = pictures.grid_of(points)
    clusters = np.array([0, 1, 0, 1, 0, 0, 1], np.int16)
    races = np.array([0, -1, 2, 1, 0, 2, -1], np.int16)
    return pictures.MapPoints(
        "umap",
        (("neighbours", "15"), ("min_dist", "0.1")),
        9,
        box,
        np.array([0, 1, 2, 4, 5, 7, 8], np.int32),
        grid,
        (
            pictures.MapColouring("cluster", "cluster", ("0", "1"), clusters),
            pictures.MapColouring("race", "demographic", ("Asian", "Black", "Ñandú"), races),
        ),
    )


def some_pictures() -> pictures.Pictures:
    """Return a map, two means, one sheet, and one picture that is missing."""
    return pictures.Pictures(
        some_points(),
        (
            pictures.MeanFace(0, None, None, 400, 256, webp()),
            pictures.MeanFace(0, "race", "Ñandú", 31, 31, webp(9, 9)),
        ),
        (pictures.ContactSheet(1, "median", 3, True, webp(72, 24)),),
        (("mean face of cluster 1", "it has fewer than 30 images"),),
        "f" * 64,
    )
