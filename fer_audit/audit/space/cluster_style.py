"""The space that the clusters lie in: how much variance its axes hold, and how the images of each cluster were taken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.inputs import NEAR_GROUP, AuditInputs
from fer_audit.audit.stats.tables import Codes, Floats, Mask, Places, Singles
from fer_audit.audit.stats.units import unit_variance
from fer_audit.audit.types.not_computable import because
from fer_audit.audit.types.space import ClusterStyle, PrincipalAxes
from fer_audit.cluster.types import Clustering
from fer_audit.pack.types import STYLE_NAMES

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
    if inertia is None or inertia <= 0 or not len(clustered):
        reason = "all images have the same vector"
        if inertia is None:
            reason = "the sweep over k does not hold k = 1, whose inertia is the total variance"
        return PrincipalAxes(dimensions, (), None, because(reason, "shares", "total"))
    shares = _squares(coordinates, clustered) / inertia
    first = tuple(np.minimum(1.0, shares[:SHOWN]).tolist())
    return PrincipalAxes(dimensions, first, min(1.0, float(shares.sum())))


def _squares(coordinates: NDArray[np.floating], rows: Places) -> Floats:
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


def _run_axes(inputs: AuditInputs) -> PrincipalAxes | None:
    clustering = inputs.clustering
    if clustering is None or clustering.coordinates is None:
        return None
    return principal_axes(clustering.coordinates, clustering)


AXES = Analysis(
    name="principal_axes",
    record=PrincipalAxes | None,
    run=_run_axes,
    needs=("clustering.coordinates", "clustering.labels", "clustering.sweep"),
)


def cluster_styles(
    style: Singles,
    clustering: Clustering,
    *,
    tested: Mask,
    confidence: float,
    units: Codes | None = None,
) -> tuple[ClusterStyle, ...]:
    """Return every cluster by every measure of the (n, s) style, over the `tested` rows.

    With m images of N in the cluster, its mean is (1 - m/N) (mean - mean of the rest) above the set's. The
    interval is the normal one of that difference of two means, variance s^2/m + r^2/(N - m), over the
    standard deviation of the set, which is taken as known. For a few images of a cluster it is too short. Where `units`,
    (n,) codes, have several images each, the variance is that of whole units: `unit_variance` of the influence of each image.
    """
    from scipy.stats import norm  # 0.9 s that a warm rerun would wait for

    values = style[tested].astype(np.float64)
    labels = clustering.labels[tested]
    together = None if units is None else units[tested]
    if together is not None and len(np.unique(together)) == len(together):
        together = None
    z = float(norm.ppf((1 + confidence) / 2))
    return tuple(
        _against_the_set(column, labels == cluster, cluster, measure, z, together)
        for cluster in range(clustering.k)
        for measure, column in zip(STYLE_NAMES, values.T, strict=True)
    )


def _against_the_set(
    values: Floats, inside: Mask, cluster: int, measure: str, z: float, units: Codes | None
) -> ClusterStyle:
    own, rest = values[inside], values[~inside]
    if not len(own):
        missing = because(
            "no image of this cluster is tested", "mean", "difference", "low", "high"
        )
        missing += because("" if len(values) else "no image is tested", "set_mean")
        set_mean = float(values.mean()) if len(values) else None
        return ClusterStyle(cluster, measure, 0, None, set_mean, not_computable=missing)
    found = ClusterStyle(cluster, measure, len(own), float(own.mean()), float(values.mean()))
    if np.ptp(values) == 0:
        missing = because("the measure is the same in all images", "difference", "low", "high")
        return replace(found, not_computable=missing)
    sd = float(values.std())
    difference = float(own.mean() - values.mean()) / sd
    if min(len(own), len(rest)) < 2:
        where = "in this cluster" if len(own) < 2 else "outside this cluster"
        missing = because(f"fewer than two images are {where}", "low", "high")
        return replace(found, difference=difference, not_computable=missing)
    variance = float(own.var(ddof=1) / len(own) + rest.var(ddof=1) / len(rest))
    if units is not None:
        n, mean = len(values), np.where(inside, own.mean(), rest.mean())
        share = np.where(inside, n / len(own), -n / len(rest))
        variance = unit_variance((values - mean) * share, units)
    reach = z * (len(rest) / len(values)) * float(np.sqrt(variance)) / sd
    ends = difference - reach, difference + reach
    return replace(found, difference=difference, low=ends[0], high=ends[1])


def _run_styles(inputs: AuditInputs) -> tuple[ClusterStyle, ...]:
    if inputs.clustering is None:
        return ()
    units, person = inputs.exchanged, inputs.units.person
    tested = units[inputs.tested]
    unit = NEAR_GROUP if person is None else person.name
    unit = unit if len(np.unique(tested)) < len(tested) else "image"
    found = cluster_styles(
        inputs.rows.style,
        inputs.clustering,
        tested=inputs.tested,
        confidence=inputs.config.statistics.confidence,
        units=units,
    )
    return tuple(replace(each, unit=unit) for each in found)


STYLES = Analysis(
    name="cluster_styles",
    record=tuple[ClusterStyle, ...],
    run=_run_styles,
    needs=("rows.style", "clustering.labels", "clustering.k", "tested", "exchanged", "units"),
    settings=("confidence",),
)
