"""Records of the partition that all tables of clusters refer to."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.ranges import NotNegative, Ordinal


@dataclass(frozen=True, slots=True)
class SweepEntry:
    """Best inertia found for one k."""

    k: Ordinal
    """Number of clusters."""
    inertia: NotNegative
    """Best inertia found for it."""


@dataclass(frozen=True, slots=True)
class Starts:
    """Spread over the K-Means starts, in the reduced space where they are run."""

    n: Ordinal
    """Number of starts."""
    inertia_min: NotNegative
    """Inertia of the best start, in the reduced space where starts are run."""
    inertia_max: NotNegative
    """Inertia of the worst start."""
    near_best: int = 0
    """Starts within 0.1 % of the best, the best one included."""


@dataclass(frozen=True, slots=True)
class KVote:
    """What one criterion of `--k auto` voted for."""

    criterion: str
    """elbow, silhouette or stability."""
    k: Ordinal | None
    """What it voted for; None when it abstained."""


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """The partition the tables refer to."""

    k: Ordinal
    """Number of clusters."""
    inertia: NotNegative
    """Sum of squared distances to the own centre, in the full space."""
    sizes: tuple[int | None, ...]
    """Images in each cluster, largest cluster first; None where withheld."""
    sweep: tuple[SweepEntry, ...]
    """The elbow: the best inertia found for each k."""
    starts: Starts
    """Spread over the K-Means starts."""
    votes: tuple[KVote, ...] = ()
    """How `--k auto` chose k, the lower median of these votes; empty when k was given."""
    nearest: tuple[tuple[str, ...], ...] = ()
    """Of each cluster at most five images nearest to its centre, as printable ids, the nearest first."""
    farthest: tuple[tuple[str, ...], ...] = ()
    """Of each cluster at most five images farthest from its centre, the farthest first."""
