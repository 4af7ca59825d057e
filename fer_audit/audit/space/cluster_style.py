"""How the images of each cluster were taken, compared with the whole set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.tables import Floats
from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.audit.types.space import ClusterStyle
from fer_audit.cluster.types import Clustering
from fer_audit.pack.types import STYLE_NAMES


def cluster_styles(
    style: NDArray[np.float32],
    clustering: Clustering,
    *,
    tested: NDArray[np.bool_],
    confidence: float,
) -> tuple[ClusterStyle, ...]:
    """Return every cluster by every measure of the (n, s) style, over the `tested` rows.

    With m images of N in the cluster, its mean is (1 - m/N) (mean - mean of the rest) above the set's. The
    interval is the normal one of that difference of two means, variance s^2/m + r^2/(N - m), over the
    standard deviation of the set, which is taken as known. For a few images of a cluster it is too short.
    """
    from scipy.stats import norm  # 0.9 s that a warm rerun would wait for

    values = style[tested].astype(np.float64)
    labels = clustering.labels[tested]
    z = float(norm.ppf((1 + confidence) / 2))
    return tuple(
        _against_the_set(column, labels == cluster, cluster=cluster, measure=measure, z=z)
        for cluster in range(clustering.k)
        for measure, column in zip(STYLE_NAMES, values.T, strict=True)
    )


def _against_the_set(
    values: Floats, inside: NDArray[np.bool_], *, cluster: int, measure: str, z: float
) -> ClusterStyle:
    own, rest = values[inside], values[~inside]
    mean = float(own.mean()) if len(own) else None
    set_mean = float(values.mean()) if len(values) else None
    difference = low = high = None
    missing: NotComputable = ()
    if mean is None or set_mean is None:
        names = ("mean", "difference", "low", "high")
        missing = _because("no image of this cluster is tested", *names)
        if set_mean is None:
            missing = (*missing, ("set_mean", "no image is tested"))
    elif np.ptp(values) == 0:
        missing = _because("the measure is the same in all images", "difference", "low", "high")
    else:
        difference = (mean - set_mean) / float(values.std())
        if min(len(own), len(rest)) < 2:
            where = "in this cluster" if len(own) < 2 else "outside this cluster"
            missing = _because(f"fewer than two images are {where}", "low", "high")
        else:
            variance = float(own.var(ddof=1) / len(own) + rest.var(ddof=1) / len(rest))
            share = len(rest) / len(values)
            reach = z * share * float(np.sqrt(variance)) / float(values.std())
            low, high = difference - reach, difference + reach
    return ClusterStyle(cluster, measure, len(own), mean, set_mean, difference, low, high, missing)


def _because(reason: str, *names: str) -> NotComputable:
    return tuple((name, reason) for name in names)


def _run(inputs: AuditInputs) -> tuple[ClusterStyle, ...]:
    if inputs.clustering is None:
        return ()
    return cluster_styles(
        inputs.rows.style,
        inputs.clustering,
        tested=inputs.tested,
        confidence=inputs.config.statistics.confidence,
    )


ANALYSIS = Analysis(
    name="cluster_styles",
    record=tuple[ClusterStyle, ...],
    run=_run,
    needs=("rows.style", "clustering.labels", "clustering.k", "tested"),
    settings=("confidence",),
)
