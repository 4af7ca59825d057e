"""Images of another audited set that fill the gaps of clusters."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, eq=False)
class Donation:
    """The images of a donor that are taken."""

    counts: Counts
    """(clusters, groups) images taken."""
    rows: NDArray[np.intp]
    """(m,) rows of the donor."""
    clusters: NDArray[np.int64]
    """(m,) the cluster that each is put in."""
    groups: NDArray[np.int64]
    """(m,) its group, as the receiving run numbers them."""
    distances: NDArray[np.float64]
    """(m,) Euclidean distance to the centre of that cluster."""

    def codes_of(self, donor: FinishedRun | None, column: LabelColumn) -> NDArray[np.int64]:
        """Return the (m,) codes of the donated images in a column of the receiving run; -1 where the donor does not say."""
        if donor is None or not len(self.rows):
            return np.empty(0, np.int64)
        found = next((each for each in donor.rows.labels if each.name == column.name), None)
        if found is None:
            return np.full(len(self.rows), -1)
        return _translated(found, column)[self.rows]


def none_donated(gaps: Counts) -> Donation:
    """Return the donation of nobody."""
    none = np.empty(0, np.int64)
    return Donation(np.zeros_like(gaps), none, none, none, np.empty(0))


def donate(run: FinishedRun, donor: FinishedRun, column: LabelColumn, gaps: Counts) -> Donation:
    """Return the donor's images that fill the (clusters, groups) gaps: of a group, those nearest to the cluster's centre.

    Each donor image lies in the cluster of its nearest centre. What the run already has, byte for byte, and what the
    donor's own list says to drop are not taken.
    Raises ConfigError where the two runs' vectors cannot be compared, or the donor has no such groups.
    """
    theirs = _fitting(run, donor, column)
    codes = _translated(theirs, column)
    among = donor.rows.ok & (codes >= 0) & ~donor.named_in(lists.DROP)
    rows = np.flatnonzero(among & ~np.isin(donor.rows.sha256, run.rows.sha256))
    centers = _centers(run, len(gaps))
    clusters, distances = np.empty(len(rows), np.int64), np.empty(len(rows))
    for start in range(0, len(rows), BLOCK):
        here = slice(start, start + BLOCK)
        assert donor.vectors is not None  # noqa: S101 - `_fitting` has looked
        x = np.asarray(donor.vectors[rows[here]], np.float64)
        squares = (
            (x * x).sum(axis=1)[:, None] + (centers * centers).sum(axis=1) - 2 * x @ centers.T
        )
        clusters[here] = squares.argmin(axis=1)
        distances[here] = np.sqrt(np.maximum(squares.min(axis=1), 0))
    taken: list[NDArray[np.intp]] = []
    for cluster, group in np.argwhere(gaps > 0).tolist():
        fitting = np.flatnonzero((clusters == cluster) & (codes[rows] == group))
        nearest = fitting[np.argsort(distances[fitting], kind="stable")]
        taken.append(nearest[: gaps[cluster, group]])
    at = np.concatenate([np.empty(0, np.intp), *taken])
    counts = np.zeros_like(gaps)
    np.add.at(counts, (clusters[at], codes[rows[at]]), 1)
    return Donation(counts, rows[at], clusters[at], codes[rows[at]], distances[at])


def _fitting(run: FinishedRun, donor: FinishedRun, column: LabelColumn) -> LabelColumn:
    """Return the donor's column; ConfigError where it cannot give."""
    for each in (run, donor):
        if each.vectors is None:
            raise ConfigError(
                f"{each.folder} has no embeddings.npy, and donors are chosen by their vectors",
                hint="The same fer-audit run command makes it again.",
            )
    ours, others = run.result.model, donor.result.model
    if ours is None or others is None or (ours.sha256, ours.dim) != (others.sha256, others.dim):
        raise ConfigError(
            "The two runs were made with different models, and their vectors cannot be compared",
            hint=f"Audit {donor.folder} again with --model {'' if ours is None else ours.name}.",
        )
    theirs = next((each for each in donor.rows.labels if each.name == column.name), None)
    if theirs is None or not set(theirs.groups) & set(column.groups):
        raise ConfigError(
            f"{donor.folder} has no {column.name} with the groups {listed(list(column.groups))}",
            hint="Give both runs the same groups with --map or --names.",
        )
    return theirs


def _translated(theirs: LabelColumn, ours: LabelColumn) -> NDArray[np.int64]:
    """Return the (n,) codes of a column in the groups of another; -1 for a group that it does not have."""
    places = [ours.groups.index(name) if name in ours.groups else -1 for name in theirs.groups]
    return np.array([*places, -1], np.int64)[theirs.codes]


def _centers(run: FinishedRun, k: int) -> NDArray[np.float64]:
    """Return the (k, d) means of the clusters' vectors; a cluster without an image is infinitely far."""
    assert run.vectors is not None  # noqa: S101 - `_fitting` has looked
    centers = np.full((k, run.vectors.shape[1]), 1e30)
    for cluster in range(k):
        rows = np.flatnonzero(run.rows.clusters == cluster)
        if len(rows):
            total = np.zeros(run.vectors.shape[1])
            for start in range(0, len(rows), BLOCK):
                block = np.asarray(run.vectors[rows[start : start + BLOCK]], np.float64)
                total += block.sum(axis=0)
            centers[cluster] = total / len(rows)
    return centers
