"""Labels that the embedding contradicts: confident learning on linear probes that never saw the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis, Parts
from fer_audit.audit.inputs import AuditInputs, first_copies
from fer_audit.audit.remedies.remedy_findings import suspect_findings
from fer_audit.audit.stats.goodness_of_fit import wilson_interval
from fer_audit.audit.stats.label_noise import confident_classes
from fer_audit.audit.stats.linear_probe import FOLDS, RIDGE
from fer_audit.audit.stats.tables import Floats
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.remedies import LabelSuspects
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng

Row = tuple[str, ...]
SEEN = 0.5
"""How far a probe must come from chance to certainty in finding a group; its flags of others are counted, not listed."""


@dataclass(frozen=True, slots=True, eq=False)
class Suspects:
    """One attribute's labels and what a held-out probe says of them."""

    attribute: Attribute
    classes: NDArray[np.int64]
    """(k,) codes of the groups with enough images."""
    rows: NDArray[np.intp]
    """(m,) images of those groups."""
    given: NDArray[np.int64]
    """(m,) index into classes."""
    probabilities: Floats
    """(m, k) of a probe whose training never saw the image's unit."""
    confident: NDArray[np.int64]
    """(m,) index into classes; -1 = no class is confident."""

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """(m,) whether another class than the given one is confident."""
        return np.asarray((self.confident >= 0) & (self.confident != self.given))

    @property
    def right(self) -> NDArray[np.bool_]:
        """(m,) whether the probe's most likely class is the given one."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.given)

    @property
    def listed(self) -> NDArray[np.intp]:
        """The flagged ones of `rows`, by position, between groups that the probe sees."""
        chance = 1 / len(self.classes)
        seen = self.recall() >= chance + SEEN * (1 - chance)
        seen = np.append(seen, False)  # -1, no class, is not seen
        return np.flatnonzero(self.flagged & seen[self.given] & seen[self.confident])

    def recall(self) -> Floats:
        """Return the (k,) share of each class that the probe finds: what it cannot see, it flags."""
        return np.asarray(np.bincount(self.given, self.right) / np.bincount(self.given))


def find_suspects(inputs: AuditInputs) -> tuple[Suspects, ...]:
    """Return what the probes say, the attribute that they see best first; none where nothing was clustered."""
    found = [suspects_of(inputs, attribute) for (attribute,) in _subjects(inputs)]
    return tuple(
        sorted(
            (each for each in found if each is not None),
            key=lambda each: -float(each.recall().mean()),
        )
    )


def suspects_of(inputs: AuditInputs, attribute: Attribute) -> Suspects | None:
    """Return what the probe says of one attribute; None where fewer than two groups have enough images.

    The probe is Fisher's linear discriminant of the principal coordinates that the clusters are made in: seconds
    for 24,000 images. Folds are by person, else by photo, copies and near-copies
    together. A group needs 30 images of at least five units.
    """
    found = inputs.once(_no_suspects_yet)
    if attribute.name not in found:
        found[attribute.name] = _suspects_of(inputs, attribute)
    return found[attribute.name]


def _no_suspects_yet(inputs: AuditInputs) -> dict[str, Suspects | None]:
    return {}


def _suspects_of(inputs: AuditInputs, attribute: Attribute) -> Suspects | None:
    if inputs.clustering is None or (x := inputs.clustering.coordinates) is None:
        return None
    units = inputs.exchanged
    known = np.flatnonzero(inputs.usable & (attribute.codes >= 0))
    codes = attribute.codes[known].astype(np.int64)
    _, first = np.unique(np.stack([codes, units[known]]), axis=1, return_index=True)
    least = np.bincount(codes[first], minlength=len(attribute.categories))
    classes = np.flatnonzero((attribute.counts() >= TOO_FEW) & (least >= FOLDS))
    inside = np.isin(codes, classes)
    if len(classes) < 2:
        return None
    rows, given = known[inside], np.searchsorted(classes, codes[inside])
    rng = stage_rng(inputs.config.seed, "audit", "suspects", attribute.name)
    odds = _held_out(x[rows].astype(np.float64), given, units[rows], len(classes), rng)
    confident, _ = confident_classes(odds, given)
    return Suspects(attribute, classes, rows, given, odds, confident)


def _subjects(inputs: AuditInputs) -> Iterator[tuple[Attribute]]:
    for attribute in inputs.dataset.attributes:
        if attribute.kind in ("demographic", "label") and not attribute.mapped_from:
            yield (attribute,)


def _held_out(
    x: Floats,
    given: NDArray[np.int64],
    units: NDArray[np.int64],
    k: int,
    rng: np.random.Generator,
) -> Floats:
    """Return the (m, k) probabilities of each image's classes by the probe that learned without its fold."""
    _, unit = np.unique(units, return_inverse=True)
    fold = rng.permutation(int(unit.max()) + 1)[unit] % FOLDS
    folds = [np.flatnonzero(fold == number) for number in range(FOLDS)]
    grams = np.stack([x[rows].T @ x[rows] for rows in folds])
    one = (given[:, None] == np.arange(k)).astype(np.float64)
    sums = np.stack([one[rows].T @ x[rows] for rows in folds])
    counts = np.stack([one[rows].sum(axis=0) for rows in folds])
    odds = np.zeros((len(x), k))
    for number, rows in enumerate(folds):
        others = np.arange(FOLDS) != number
        gram, total, n = (each[others].sum(axis=0) for each in (grams, sums, counts))
        odds[rows] = _discriminant(gram, total, n, x[rows])
    return odds


def _discriminant(gram: Floats, sums: Floats, counts: Floats, unseen: Floats) -> Floats:
    """Return the (m, k) probabilities of unseen images by Fisher's discriminant; 0 for a class that was not there.

    Learned from X'X, the (k, d) sums of the classes, and their counts.
    """
    n = counts.sum()
    means = sums / np.maximum(counts, 1)[:, None]
    within = (gram - means.T @ sums) / n
    within[np.diag_indices_from(within)] += RIDGE * np.trace(within) / len(within) + 1e-12
    directions = np.linalg.solve(within, means.T)
    logs = np.log(np.maximum(counts, 1) / n) - (means.T * directions).sum(axis=0) / 2
    scores = np.where(counts > 0, unseen @ directions + logs, -np.inf)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def suspect_rows(found: tuple[Suspects, ...], ids: tuple[str, ...]) -> list[Row]:
    """Return the flagged labels: the attribute that the probe sees best first, then the widest gap of probabilities.

    Only between groups that the probe sees.
    """
    rows: list[Row] = []
    for each in found:
        recall, names = each.recall(), each.attribute.categories
        at = each.listed
        own = each.probabilities[at, each.given[at]]
        other = each.probabilities[at, each.confident[at]]
        for i in np.lexsort((each.rows[at], own - other)).tolist():
            given, said = each.given[at[i]], each.confident[at[i]]
            rows.append(
                (
                    each.attribute.name,
                    ids[each.rows[at[i]]],
                    names[each.classes[given]],
                    names[each.classes[said]],
                    f"{own[i]:.3f}",
                    f"{other[i]:.3f}",
                    f"{recall[given]:.3f}",
                    f"{recall[said]:.3f}",
                )
            )
    return rows


def group_rows(found: tuple[Suspects, ...], inputs: AuditInputs) -> list[Row]:
    """Return how many labels of each group are flagged, with the Wilson interval and the probe's recall there.

    Groups are those of the label itself and of every column about people. An image counts once, whatever copies it has.
    """
    once = first_copies(inputs.rows.sha256, inputs.usable)
    rows: list[Row] = []
    for each in found:
        columns = [each.attribute, *(a for a in inputs.crossed if a is not each.attribute)]
        for column in columns:
            codes = np.where(once[each.rows], column.codes[each.rows], -1)
            for code, name in enumerate(column.categories):
                at = codes == code
                n, flags = int(at.sum()), int(each.flagged[at].sum())
                if n < TOO_FEW:
                    continue
                low, high = wilson_interval(
                    np.array([flags]), n, confidence=inputs.config.statistics.confidence
                )
                shares = (flags / n, low[0], high[0], each.right[at].mean())
                words = (each.attribute.name, column.name, name, str(n), str(flags))
                rows.append((*words, *(f"{share:.4f}" for share in shares)))
    return rows


def _run(inputs: AuditInputs, attribute: Attribute) -> LabelSuspects | None:
    found = suspects_of(inputs, attribute)
    if found is None:
        return None
    return LabelSuspects(
        attribute=attribute.name,
        n=len(found.rows),
        flagged=int(found.flagged.sum()),
        listed=len(found.listed),
        recall=float(found.recall().mean()),
    )


def _join(
    inputs: AuditInputs, pieces: Sequence[LabelSuspects | None], parts: Parts
) -> tuple[LabelSuspects, ...]:
    found = [each for each in pieces if each is not None]
    return tuple(sorted(found, key=lambda each: -each.recall))


ANALYSIS = Analysis(
    name="label_suspects",
    record=LabelSuspects | None,
    run=_run,
    subjects=_subjects,
    join=_join,
    needs=("clustering.coordinates", "usable", "exchanged"),
    findings=suspect_findings,
)
