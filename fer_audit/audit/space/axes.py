"""How much of the variance of the vectors lies on their first principal axes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.types.space import PrincipalAxes
from fer_audit.cluster.types import Clustering

SHOWN = 10
BLOCK_ROWS = 4096
"""4096 x 128 x 8 bytes = 4 MB at a time."""


def principal_axes(coordinates: NDArray[np.floating], clustering: Clustering) -> PrincipalAxes:
    """Return the shares of the total variance on the axes that (n, m) coordinates are on.

    The total is the inertia of one cluster, in the full space, which the sweep over k holds. Axes of more
    than 4,096 images were found from so many of them, so that the variance of all images need not fall
    strictly from one axis to the next, and the mean of all need not be 0: it is subtracted here.
    """
    dimensions = coordinates.shape[1]
    clustered = np.flatnonzero(clustering.labels >= 0)
    inertia = next((each.inertia for each in clustering.sweep if each.k == 1), None)
    reason = ""
    if inertia is None:
        reason = "the sweep over k does not hold k = 1, whose inertia is the total variance"
    elif inertia <= 0 or not len(clustered):
        reason = "all images have the same vector"
    if inertia is None or reason:
        return PrincipalAxes(dimensions, (), None, (("shares", reason), ("total", reason)))
    shares = _squares(coordinates, clustered) / inertia
    return PrincipalAxes(
        dimensions=dimensions,
        shares=tuple(np.minimum(1.0, shares[:SHOWN]).tolist()),
        total=min(1.0, float(shares.sum())),
    )


def _squares(coordinates: NDArray[np.floating], rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the (m,) sums of squares of some rows about their mean."""
    blocks = [rows[start : start + BLOCK_ROWS] for start in range(0, len(rows), BLOCK_ROWS)]
    total = np.zeros(coordinates.shape[1])
    for block in blocks:
        total += coordinates[block].sum(axis=0, dtype=np.float64)
    mean = total / len(rows)
    squares = np.zeros(coordinates.shape[1])
    for block in blocks:
        squares += ((coordinates[block] - mean) ** 2).sum(axis=0)
    return squares


def _run(inputs: AuditInputs) -> PrincipalAxes | None:
    clustering = inputs.clustering
    if clustering is None or clustering.coordinates is None:
        return None
    return principal_axes(clustering.coordinates, clustering)


ANALYSIS = Analysis(
    name="principal_axes",
    record=PrincipalAxes | None,
    run=_run,
    needs=("clustering.coordinates", "clustering.labels", "clustering.sweep"),
)
