"""Images of another audited set that fill the gaps of clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.stats.tables import Counts
from fer_audit.audit.types import lists
from fer_audit.audit.types.compare import LabelColumn
from fer_audit.errors import ConfigError
from fer_audit.pipeline.finished import FinishedRun
from fer_audit.text import listed

BLOCK = 4096
"""Vectors compared with the centres at a time."""
_NONE = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Donation:
    """The images of a donor that are taken."""

    counts: Counts
    """(clusters, groups) images taken."""
    donor: FinishedRun | None
    rows: NDArray[np.int64]
    """(m,) rows of the donor."""
    clusters: NDArray[np.int64]
    """(m,) the cluster that each is put in."""
    groups: NDArray[np.int64]
    """(m,) its group, as the receiving run numbers them."""
    distances: NDArray[np.float64]
    """(m,) Euclidean distance to the centre of that cluster."""

    def codes_of(self, column: LabelColumn) -> NDArray[np.int64]:
        """Return the (m,) codes of the donated images in a column of the receiving run; -1 where the donor does not say."""
        theirs = None if self.donor is None else _column(self.donor, column.name)
        return self.rows * 0 - 1 if theirs is None else _translated(theirs, column)[self.rows]

    def vectors(self) -> NDArray[np.floating[Any]]:
        """Return the (m, d) vectors of the donated images."""
        return _vectors(self.donor)[self.rows]


def donate(
    run: FinishedRun, donor: FinishedRun | None, column: LabelColumn, gaps: Counts
) -> Donation:
    """Return the donor's images that fill the (clusters, groups) gaps: of a group, those nearest to the cluster's centre.

    Each donor image lies in the cluster of its nearest centre. What the run already has, byte for byte, and what the
    donor's own list says to drop are not taken.
    Raises ConfigError where the two runs' vectors cannot be compared, or the donor has no such groups.
    """
    counts = np.zeros_like(gaps)
    if donor is None:
        return Donation(counts, None, _NONE, _NONE, _NONE, np.empty(0))
    ours, others = run.result.model, donor.result.model
    if ours is None or others is None or ours.sha256 != others.sha256:
        raise ConfigError(
            "The two runs were made with different models, and their vectors cannot be compared",
            hint=f"Audit {donor.folder} again with --model {'' if ours is None else ours.name}.",
        )
    theirs = _column(donor, column.name)
    if theirs is None or not set(theirs.groups) & set(column.groups):
        raise ConfigError(
            f"{donor.folder} has no {column.name} with the groups {listed(list(column.groups))}",
            hint="Give both runs the same groups with --map or --names.",
        )
    codes, vectors, own = _translated(theirs, column), _vectors(donor), _vectors(run)
    among = donor.rows.ok & (codes >= 0) & ~donor.named_in(lists.DROP)
    rows = np.flatnonzero(among & ~np.isin(donor.rows.sha256, run.rows.sha256))
    labels = run.rows.clusters
    filled = [c for c in range(len(gaps)) if (labels == c).any()]
    centers = np.stack([own[labels == c].mean(axis=0, dtype=np.float64) for c in filled])
    clusters, distances = np.empty(len(rows), np.int64), np.empty(len(rows))
    for start in range(0, len(rows), BLOCK):
        here = slice(start, start + BLOCK)
        x = vectors[rows[here]].astype(np.float64)
        squares = (x * x).sum(axis=1)[:, None] + (centers**2).sum(axis=1) - 2 * x @ centers.T
        clusters[here] = np.array(filled)[squares.argmin(axis=1)]
        distances[here] = np.sqrt(np.maximum(squares.min(axis=1), 0))
    taken = [_NONE]
    for cluster, group in np.argwhere(gaps > 0).tolist():
        fitting = np.flatnonzero((clusters == cluster) & (codes[rows] == group))
        nearest = fitting[np.argsort(distances[fitting], kind="stable")]
        taken.append(nearest[: gaps[cluster, group]])
    at = np.concatenate(taken)
    np.add.at(counts, (clusters[at], codes[rows[at]]), 1)
    return Donation(counts, donor, rows[at], clusters[at], codes[rows[at]], distances[at])


def _vectors(run: FinishedRun | None) -> NDArray[np.floating[Any]]:
    """Return the vectors of a run; ConfigError where they were removed."""
    if run is None or run.vectors is None:
        raise ConfigError(
            f"{'' if run is None else run.folder} has no embeddings.npy, and donors are chosen by their vectors",
            hint="The same fer-audit run command makes it again.",
        )
    return run.vectors


def _column(run: FinishedRun, name: str) -> LabelColumn | None:
    return next((each for each in run.rows.labels if each.name == name), None)


def _translated(theirs: LabelColumn, ours: LabelColumn) -> NDArray[np.int64]:
    """Return the (n,) codes of a column in the groups of another; -1 for a group that it does not have."""
    places = [ours.groups.index(name) if name in ours.groups else -1 for name in theirs.groups]
    return np.array([*places, -1], np.int64)[theirs.codes]
