"""Ways to treat groups alike with a linear head on frozen vectors, each compared with a plain head on held-out rows.

Every arm is fitted inside folds of whole units; each row is answered once, by heads that saw no row of its unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from fer_audit.audit.stats.confusion import ratio
from fer_audit.audit.stats.leace import Eraser, fit_eraser
from fer_audit.audit.stats.tables import Codes, Counts, Floats, Mask, Places
from fer_audit.audit.stats.weights import reweighing

FOLDS = 5
REGULARISED = 0.01
"""Inverse strength of the L2 penalty on standardised vectors, scikit-learn's C."""
LEAST_ROWS = 30
"""Of a group, for a head of its own; with fewer, or without every class, it shares the plain one."""
SUBSETS = 10
LEAST_CELL = 10
"""Rows that a group-balanced subset takes of each group and class at least, as far as there are so many."""
NEIGHBOURS = 15
MOST_NEIGHBOURS = 5_000
"""Fitted rows among which neighbours are looked for, a seeded draw; 23,000 take four times as long and say the same."""

BASELINE = "baseline"
AWARE = "attribute-aware"
INDEPENDENT = "domain-independent"
LEACE = "disentangled (LEACE)"
SPLINCE = "disentangled (SPLINCE)"
REWEIGHED = "reweighed"
BALANCED = "group-balanced"
Answer: TypeAlias = Callable[[Floats, Codes], Counts]
"""(vectors, groups) -> the class of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Multinomial logistic regression on standardised vectors."""

    mean: Floats
    scale: Floats
    model: Any
    """scikit-learn's LogisticRegression; None = there was one class."""
    classes: Counts

    def log_probabilities(self, x: Floats) -> Floats:
        """Return (n, classes)."""
        if self.model is None:
            return np.zeros((len(x), 1))
        return np.asarray(self.model.predict_log_proba((x - self.mean) / self.scale))

    def answers(self, x: Floats) -> Counts:
        """Return the (n,) class of each."""
        return np.asarray(self.classes[self.log_probabilities(x).argmax(axis=1)])


def fit_head(
    x: Floats, codes: Codes, weights: Floats | None = None, *, balanced: bool = False
) -> Head:
    """Return the head of (n, d) vectors; `balanced` counts every class alike."""
    from sklearn.linear_model import LogisticRegression  # 0.9 s that a warm rerun would wait for

    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    classes = np.unique(codes).astype(np.int64)
    model = None
    if len(classes) > 1:
        model = LogisticRegression(
            C=REGULARISED, max_iter=1000, class_weight="balanced" if balanced else None
        ).fit((x - mean) / scale, codes, weights)
    return Head(mean, scale, model, classes)


def unit_folds(units: Codes, rng: np.random.Generator, parts: int = FOLDS) -> Counts:
    """Return the (n,) fold of each row; rows of one unit share it."""
    names, number = np.unique(units, return_inverse=True)
    return np.asarray((rng.permutation(len(names)) % parts)[number])


def held_out(folds: Counts) -> Iterator[tuple[Mask, Mask]]:
    """Yield the (n,) rows to fit on and those held out, fold by fold."""
    for fold in range(FOLDS):
        out = folds == fold
        if out.any() and not out.all():
            yield ~out, out


def arms_of_fold(
    x: Floats, label: Codes, group: Codes, rng: np.random.Generator
) -> dict[str, Answer | None]:
    """Return every arm, fitted on these rows; None = an arm that cannot be had. Codes are 0, 1, ... and all known."""
    plain = fit_head(x, label)
    own = {
        each: fit_head(x[group == each], label[group == each])
        for each in np.unique(group).tolist()
        if (group == each).sum() >= LEAST_ROWS
        and np.array_equal(np.unique(label[group == each]), plain.classes)
    }

    def aware(new: Floats, groups: Codes) -> Counts:
        found = plain.answers(new)
        for each, head in own.items():
            inside = groups == each
            if inside.any():
                found[inside] = head.answers(new[inside])
        return found

    counts = np.zeros((int(group.max()) + 1, int(label.max()) + 1), np.int64)
    np.add.at(counts, (group, label), 1)
    subsets = [
        fit_head(x[rows], label[rows]) for rows in balanced_subsets(group, label, counts, rng)
    ]

    return {
        BASELINE: lambda new, _: plain.answers(new),
        AWARE: aware if own else None,
        INDEPENDENT: _together(list(own.values())) if own else None,
        LEACE: _behind(fit_eraser(x, group), x, label),
        SPLINCE: _behind(fit_eraser(x, group, label), x, label),
        REWEIGHED: _alone(fit_head(x, label, reweighing(counts)[group, label])),
        BALANCED: _together(subsets),
    }


def _alone(head: Head) -> Answer:
    return lambda new, _: head.answers(new)


def _together(heads: Sequence[Head]) -> Answer:
    """Return the class with the largest sum of log-probabilities; all heads know the same classes."""
    return lambda new, _: np.asarray(
        heads[0].classes[
            np.sum([each.log_probabilities(new) for each in heads], axis=0).argmax(axis=1)
        ]
    )


def _behind(eraser: Eraser | None, x: Floats, label: Codes) -> Answer | None:
    """Return a head that sees vectors without the attribute."""
    if eraser is None:
        return None
    head = fit_head(eraser(x), label)
    return lambda new, _: head.answers(eraser(new))


def balanced_subsets(
    group: Codes, label: Codes, counts: Counts, rng: np.random.Generator
) -> Iterator[Places]:
    """Yield rows in which every group and class is as frequent as the rarest that occurs (Kirichenko et al. 2023)."""
    least = max(LEAST_CELL, int(counts[counts > 0].min()))
    members = [
        np.flatnonzero((group == g) & (label == c)) for g, c in zip(*counts.nonzero(), strict=True)
    ]
    for _ in range(SUBSETS):
        yield np.sort(
            np.concatenate(
                [rng.choice(each, min(least, len(each)), replace=False) for each in members]
            )
        )


def nearest_answers(x: Floats, codes: Codes, new: Floats, rng: np.random.Generator) -> Counts:
    """Return the class that is over-represented most among the nearest fitted rows of each new one."""
    from sklearn.neighbors import NearestNeighbors  # 0.9 s that a warm rerun would wait for

    drawn = np.sort(rng.permutation(len(x))[:MOST_NEIGHBOURS])
    classes, number = np.unique(codes[drawn], return_inverse=True)
    search = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(drawn)), algorithm="brute")
    nearest = search.fit(x[drawn]).kneighbors(new, return_distance=False)
    votes = (number[nearest][:, :, None] == np.arange(len(classes))).mean(axis=1)
    found: Counts = classes[(votes / np.bincount(number)).argmax(axis=1)]
    return found


def resampled_counts(
    units: Codes, cells: Codes, right: Mask, *, draws: int, rng: np.random.Generator
) -> Counts:
    """Return (1 + draws, cells, 1 + answers) counts of rows and of right answers; the first is of the rows seen.

    `right` is (n, answers). Whole units are drawn with replacement, the same for all answers; units with equal counts
    are drawn together, which is the same law.
    """
    n_cells, width = int(cells.max()) + 1, right.shape[1] + 1
    number, often = np.unique(units, return_inverse=True)[1], None
    if int(number.max()) + 1 == len(
        units
    ):  # strangers: rows that are alike in all are drawn together at once
        rows, often = np.unique(np.column_stack([cells, right]), axis=0, return_counts=True)
        cells, right, number = rows[:, 0], rows[:, 1:].astype(np.bool_), np.arange(len(rows))
    table = np.zeros((int(number.max()) + 1, n_cells, width), np.int64)
    np.add.at(table, (number, cells), np.column_stack([np.ones(len(right), np.bool_), right]))
    kinds = table.reshape(len(table), -1)
    if often is None:
        kinds, often = np.unique(kinds, axis=0, return_counts=True)
    drawn = rng.multinomial(often.sum(), often / often.sum(), size=draws)
    found = np.concatenate([often[None, :], drawn]).astype(np.float64) @ kinds
    return found.round().astype(np.int64).reshape(draws + 1, n_cells, width)


def shares_right(counts: Counts) -> Floats:
    """Return the (draws, cells, answers) share right of `resampled_counts`; NaN where there is no row."""
    return ratio(counts[..., 1:], counts[..., :1])
