"""A model's predictions as the audit counts them: one copy of each image, people kept whole, true labels where there are some."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.inputs import AuditInputs, contradicted, group_members
from fer_audit.audit.models.truth import Truth, in_classes, truth_of
from fer_audit.audit.stats.confusion import ratio
from fer_audit.audit.stats.goodness_of_fit import wilson_interval
from fer_audit.audit.stats.label_noise import equal_mass_edges
from fer_audit.audit.stats.tables import Counts, Floats, Mask
from fer_audit.audit.stats.units import unit_interval_of_shares
from fer_audit.classify.types import Predictions
from fer_audit.config import StatisticsSettings
from fer_audit.rng import stage_rng

Ints = NDArray[np.int64]
IMAGE = "image"


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The m images that are counted; every array but those of copies has their order."""

    classes: tuple[str, ...]
    rows: NDArray[np.intp]
    """Their rows in the set."""
    said: Ints
    label: Ints
    """True class, -1 = not known."""
    units: Ints
    unit: str
    confidence: Floats | None
    edges: Floats
    """Of the bins of confidence, the same for all groups."""
    votes: Floats | None
    """(m, c + others) shares of votes, 0 everywhere = nobody was asked."""
    clusters: Ints | None
    copies: NDArray[np.intp]
    """The first row of each group of copies with two labels or more."""
    differ: Mask
    """Whether its labels do."""
    settings: StatisticsSettings
    rng: np.random.Generator

    @property
    def right(self) -> Ints:
        """(m,) 1 right, 0 wrong, -1 not known."""
        return np.where(self.label >= 0, (self.said == self.label).astype(np.int64), -1)


def scored(inputs: AuditInputs, said: Predictions) -> tuple[Scored, Truth | None]:
    """Return the tested images with a prediction, and what their true labels are."""
    rows = np.flatnonzero(inputs.tested & said.ok)
    truth = truth_of(said, inputs.for_tests)
    label = np.full(len(rows), -1, np.int64) if truth is None else truth.codes[rows]
    known = label >= 0
    sure = (
        None if said.probabilities is None else said.probabilities.max(axis=1)[rows].astype(float)
    )
    first, differ = _copies(inputs, truth)
    found = Scored(
        classes=said.classes,
        rows=rows,
        said=said.codes[rows].astype(np.int64),
        label=label,
        units=inputs.units.people(len(inputs.dataset))[rows],
        unit=inputs.units.exchanged,
        confidence=sure,
        edges=equal_mass_edges(sure[known]) if sure is not None and known.any() else np.ones(1),
        votes=None if truth is None else _votes(inputs, said, truth.attribute, rows),
        clusters=None
        if inputs.clustering is None
        else inputs.clustering.labels[rows].astype(np.int64),
        copies=first,
        differ=differ,
        settings=inputs.config.statistics,
        rng=stage_rng(inputs.config.seed, "models", said.by.name, said.about),
    )
    return found, truth


def _votes(
    inputs: AuditInputs, said: Predictions, attribute: str, rows: NDArray[np.intp]
) -> Floats | None:
    """Return shares of votes by class, answers that are no class after them."""
    soft = next((each for each in inputs.dataset.soft if each.attribute == attribute), None)
    if soft is None:
        return None
    at = in_classes(soft.answers, said.classes, said.about)
    classes = len(said.classes)
    at = np.where(at >= 0, at, classes + np.arange(len(at)))
    shares = np.zeros((len(rows), classes + len(at)))
    shares[:, at] = soft.votes[rows]
    return np.nan_to_num(ratio(shares, shares.sum(axis=1, keepdims=True)))


def _copies(inputs: AuditInputs, truth: Truth | None) -> tuple[NDArray[np.intp], Mask]:
    if truth is None:
        return np.empty(0, np.intp), np.empty(0, np.bool_)
    codes = inputs.dataset.attribute(truth.attribute).codes
    sha256 = inputs.rows.sha256
    rows, owner = group_members(sha256, inputs.rows.ok & (sha256 != b"") & (codes >= 0))
    first = np.unique(owner, return_index=True)[1]
    return rows[first], contradicted(codes[rows], owner)


def units_in(cells: Ints, units: Ints, size: int) -> Counts:
    """Return the (size,) number of different units in each cell of (m,) codes, -1 = in none."""
    known, many = cells >= 0, int(units.max(initial=0)) + 1
    pairs = np.unique(cells[known] * many + units[known])
    return np.bincount(pairs // many, minlength=size)


def share_intervals(model: Scored, mine: Mask, hits: Mask, among: Mask) -> tuple[Floats, Floats]:
    """Return the intervals, (c,) each, of the shares of (m, c) `among` that are `hits`, of the images `mine`; NaN for none.

    Wilson's, or of people drawn whole; where every draw gives one share, Wilson's with people in the place of images.
    """
    units, people = model.units[mine], model.unit != IMAGE
    numbered = np.unique(units, return_inverse=True)[1] if people else units
    right, n = (x[mine].astype(np.int64) for x in (hits & among, among))
    if people:
        order = np.argsort(numbered, kind="stable")
        starts = np.flatnonzero(np.diff(numbered[order], prepend=-1))
        right, n = (np.add.reduceat(x[order], starts) for x in (right, n))
    total, confidence = n.sum(axis=0), model.settings.confidence
    trials = (n > 0).sum(axis=0) if people else total
    counts = np.nan_to_num(ratio(right.sum(axis=0), total)) * trials
    counts = counts if people else right.sum(axis=0)
    low, high = wilson_interval(counts, np.maximum(trials, 1), confidence=confidence)
    if people and total.any():
        first, last = unit_interval_of_shares(
            right, n, draws=model.settings.bootstraps, confidence=confidence, rng=model.rng
        )
        low, high = np.where(last > first, first, low), np.where(last > first, last, high)
    return np.where(total > 0, low, np.nan), np.where(total > 0, high, np.nan)


def or_none(value: float) -> float | None:
    """Return a value, None for NaN."""
    return float(value) if np.isfinite(value) else None
