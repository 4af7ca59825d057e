"""The encoder of the time before networks: histograms of local binary patterns on a grid, as scikit-image computes them."""

from __future__ import annotations

import dataclasses
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from fer_audit.encoders.catalog import catalog_entry
from fer_audit.encoders.network import GREY
from fer_audit.encoders.types import ComputedModel
from fer_audit.errors import ModelError
from fer_audit.store.fingerprint import source_digest, stage_fingerprint

NAME = "lbp"
POINTS = 8
RADII = (1, 2)
CODES = POINTS + 2
"""Uniform patterns by how many points are brighter, and one for all that are not uniform."""
CELL = 16
"""Pixels of a side of each histogram's square."""


def lbp_model() -> ComputedModel:
    """Return the encoder; ModelError where scikit-image is not installed."""
    try:
        import skimage  # noqa: F401 - whether it can be imported
    except ImportError as exc:
        raise ModelError(
            f"--model {NAME} needs scikit-image, which is not installed",
            hint="pip install 'fer-audit[lbp]'; in a checkout: pip install '.[lbp]'.",
        ) from exc
    spec, library = catalog_entry(NAME).spec, f"scikit-image {version('scikit-image')}"
    depends = {
        "spec": dataclasses.asdict(spec),
        "library": library,
        "source": source_digest("encoders/lbp.py"),
    }
    return ComputedModel(spec, stage_fingerprint("embed", depends), library, histograms)


def histograms(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the vector of one (size, size, 3) image: for each square and radius the shares of the ten codes.

    Squares go row by row; size is a multiple of `CELL`.
    """
    from skimage.feature import local_binary_pattern

    grey = np.rint(pixels @ np.array(GREY)).astype(np.uint8)
    side = len(grey) // CELL
    shares = []
    for radius in RADII:
        codes = local_binary_pattern(grey, POINTS, radius, "uniform")
        squares = codes.reshape(side, CELL, side, CELL)
        shares.append((squares[..., None] == np.arange(CODES)).mean(axis=(1, 3)))
    return np.concatenate(shares, axis=-1, dtype=np.float32).ravel()
