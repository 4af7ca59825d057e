"""How groups lie in the latent space itself, before any clustering: neighbours, cuts, centres.

Independent images only: one copy of each, one of each person. Neighbours are looked for in a seeded subsample, because
distances between all pairs cost n squared; pairs of groups are compared on all, because a small group is learned worse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from threadpoolctl import threadpool_limits

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.claims.associations import how_shuffled
from fer_audit.audit.inputs import NEAR_GROUP, AuditInputs, first_copies
from fer_audit.audit.space.findings import apart
from fer_audit.audit.stats.linear_probe import probe_pair
from fer_audit.audit.stats.resampling import adjusted_p, monte_carlo_p
from fer_audit.audit.stats.tables import Codes, Counts, Floats, Places, Singles
from fer_audit.audit.types.not_computable import TOO_FEW, because
from fer_audit.audit.types.result import BENJAMINI_HOCHBERG, LedgerEntry
from fer_audit.audit.types.space import GroupOverlap, LatentOverlap, PairOverlap
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng
from fer_audit.text import unreached

SUBSAMPLE = 3000
"""3,000 squared distances are 36 MB in single precision."""
DIMENSIONS = 128
NEIGHBOURS = 10
DRAWS = 999
PROBE_DRAWS = 199
"""Shuffles for each pair of groups: 36 pairs of age bins; enough for p = 0.005."""
MOST_IN_GROUP = 5_000
"""Images of a group, seeded, behind each pair: the AUC is known to .006 then."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """The subsample and its distances, made once for all attributes."""

    rows: Places
    x: Floats
    distances: Singles
    drawn_from: Places
    unit: str


def _sample(inputs: AuditInputs) -> _Sample:
    """Return a draw of independent images, also where copies are kept elsewhere.

    Otherwise an image or a person is its own neighbour, and is on both sides of a cross-validated cut.
    """
    rows = np.flatnonzero(first_copies(inputs.rows.sha256, inputs.tested))
    rows = stage_rng(inputs.config.seed, "audit", "latent", "people").permutation(rows)
    once = np.sort(rows[np.unique(inputs.exchanged[rows], return_index=True)[1]])
    person = inputs.units.person
    unit = "image" if len(once) == len(rows) else NEAR_GROUP if person is None else person.name
    rows = once
    rng = stage_rng(inputs.config.seed, "audit", "latent", "subsample")
    drawn = np.sort(rng.choice(rows, min(SUBSAMPLE, len(rows)), replace=False))
    drawn, x = _points(inputs, drawn)
    return _Sample(drawn, x, _distances(x), rows, unit)


def _points(inputs: AuditInputs, rows: Places) -> tuple[Places, Floats]:
    """Return the rows with finite coordinates, and those."""
    assert inputs.clustering is not None  # noqa: S101 - no pieces without
    assert inputs.clustering.coordinates is not None  # noqa: S101 - as above
    x = inputs.clustering.coordinates[rows, :DIMENSIONS].astype(np.float64)
    finite = np.isfinite(x).all(axis=1)
    return rows[finite], x[finite]


def _subjects(inputs: AuditInputs) -> list[tuple[Attribute, ...]]:
    clustering = inputs.clustering
    if clustering is None or clustering.coordinates is None:
        return []
    return [(each,) for each in inputs.people]


def _run(inputs: AuditInputs, attribute: Attribute) -> LatentOverlap:
    # One thread: the products are small, two threads on a busy machine took 30 s instead of 6, and the last
    # digits of a sum would depend on how many there are.
    with threadpool_limits(1):
        return _overlap(attribute, inputs.once(_sample), inputs)


def _overlap(attribute: Attribute, sample: _Sample, inputs: AuditInputs) -> LatentOverlap:
    config = inputs.config
    codes = attribute.codes[sample.rows]
    known = np.flatnonzero(codes >= 0)
    codes, x, distances = codes[known], sample.x[known], sample.distances[np.ix_(known, known)]
    sizes = np.bincount(codes, minlength=len(attribute.categories))
    empty = LatentOverlap(
        attribute=attribute.name,
        n=len(known),
        drawn_from=len(sample.drawn_from),
        dimensions=x.shape[1],
        neighbours=NEIGHBOURS,
        unit=sample.unit,
    )
    if reason := _why_silent(len(known), int((sizes > 0).sum())):
        return replace(empty, not_computable=because(reason, "homophily", "expected", "p"))
    rng = stage_rng(config.seed, "audit", "latent", attribute.name)
    nearest = _nearest(distances)
    same = (codes[nearest] == codes[:, None]).mean(axis=1)
    draws = min(DRAWS, config.statistics.permutations)
    shuffled = np.empty(draws)
    for draw in range(draws):
        moved = rng.permutation(codes)
        shuffled[draw] = (moved[nearest] == moved[:, None]).mean()
    return replace(
        empty,
        homophily=float(same.mean()),
        # The exact mean over shuffles: a neighbour is one of the n - 1 others.
        expected=float((sizes * (sizes - 1)).sum() / (len(known) * (len(known) - 1))),
        p=monte_carlo_p(shuffled, float(same.mean())),
        permutations=draws,
        groups=tuple(_groups(attribute, codes, x, same, sizes)),
        pairs=_pairs(attribute, sample.drawn_from, inputs),
    )


def _groups(
    attribute: Attribute, codes: Codes, x: Floats, same: Floats, sizes: Counts
) -> Iterator[GroupOverlap]:
    for group, (name, n) in enumerate(zip(attribute.categories, sizes.tolist(), strict=True)):
        if n < TOO_FEW:
            reason = f"{n} images in the subsample are too few"
            missing = because(reason, "homophily", "expected", "dispersion")
            yield GroupOverlap(name, n, not_computable=missing)
            continue
        inside = codes == group
        expected = (n - 1) / (len(codes) - 1)
        yield GroupOverlap(name, n, float(same[inside].mean()), expected, _dispersion(x[inside]))


def _pairs(attribute: Attribute, rows: Places, inputs: AuditInputs) -> tuple[PairOverlap, ...]:
    members = [rows[attribute.codes[rows] == code] for code in range(len(attribute.categories))]
    enough = [code for code, each in enumerate(members) if len(each) >= TOO_FEW]
    rng = stage_rng(inputs.config.seed, "audit", "probe", attribute.name, "members")
    points = {}
    for code in enough:
        n = min(MOST_IN_GROUP, len(members[code]))
        points[code] = _points(inputs, np.sort(rng.choice(members[code], n, replace=False)))[1]
    found = [
        _pair(attribute, one, two, points[one], points[two], inputs.config)
        for one, two in combinations(enough, 2)
    ]
    adjusted = adjusted_p([each.p for each in found])
    return tuple(replace(x, p_adjusted=p) for x, p in zip(found, adjusted, strict=True))


def _pair(
    attribute: Attribute, one: int, two: int, a: Floats, b: Floats, config: AuditConfig
) -> PairOverlap:
    first, second = attribute.categories[one], attribute.categories[two]
    draws = min(PROBE_DRAWS, config.statistics.permutations)
    probe = probe_pair(
        np.concatenate([a, b]),
        np.arange(len(a) + len(b)) >= len(a),
        draws=draws,
        confidence=config.statistics.confidence,
        rng=stage_rng(config.seed, "audit", "probe", attribute.name, first, second),
    )
    distance = float(np.linalg.norm(a.mean(axis=0) - b.mean(axis=0)))
    squares = len(a) * _dispersion(a) ** 2 + len(b) * _dispersion(b) ** 2
    pooled = float(np.sqrt(squares / (len(a) + len(b))))
    return PairOverlap(
        first=first,
        second=second,
        n_first=len(a),
        n_second=len(b),
        auc=probe.auc,
        low=probe.low,
        high=probe.high,
        balanced_accuracy=probe.balanced_accuracy,
        null_95=probe.null_95,
        p=probe.p,
        p_adjusted=None,
        permutations=draws,
        centroid_distance=distance,
        relative_distance=distance / pooled if pooled > 0 else None,
        not_computable=because(
            "" if pooled > 0 else "both groups are single points", "relative_distance"
        ),
    )


def _distances(x: Floats) -> Singles:
    """Return the (n, n) Euclidean distances; squares in double precision, so that equal rows are at 0."""
    square = (x * x).sum(axis=1)
    squared = square[:, None] + square[None, :] - 2 * (x @ x.T)
    np.fill_diagonal(squared, 0.0)
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)), dtype=np.float32)


def _nearest(distances: Singles) -> Places:
    """Return the (n, NEIGHBOURS) rows nearest to each row, itself left out; n is larger than NEIGHBOURS."""
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    return np.argpartition(others, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]


def _dispersion(x: Floats) -> float:
    return float(np.sqrt(((x - x.mean(axis=0)) ** 2).sum(axis=1).mean()))


def _why_silent(n: int, groups: int) -> str:
    if n < TOO_FEW:
        return f"{n} images in the subsample are too few"
    return "all images are in one group" if groups < 2 else ""


def _ledger(overlaps: Sequence[LatentOverlap]) -> Iterator[LedgerEntry]:
    for overlap in overlaps:
        if overlap.p is not None:
            subject = f"{overlap.attribute} of {overlap.neighbours} nearest neighbours"
            method = f"{how_shuffled(overlap.permutations, overlap.unit, 'shuffles')}, share of neighbours of the same group"
            at_most = unreached(overlap.p, overlap.permutations)
            yield LedgerEntry("latent overlap", subject, method, overlap.p, at_most=at_most)
        tested = [each for each in overlap.pairs if each.p is not None]
        if tested:
            least = min(tested, key=lambda each: (each.p or 0.0, -(each.auc or 0.0)))
            yield LedgerEntry(
                family=f"pairs of {overlap.attribute}",
                subject=f"{least.first} and {least.second}, smallest of {len(tested)} pairs",
                method=f"{least.permutations:,} shuffles within folds, AUC of a linear probe",
                p=least.p or 0.0,
                p_corrected=least.p_adjusted,
                correction=BENJAMINI_HOCHBERG,
                tests=len(tested),
                at_most=unreached(least.p, least.permutations),
            )


ANALYSIS = Analysis(
    name="latent",
    record=LatentOverlap,
    run=_run,
    subjects=_subjects,
    needs=("clustering.coordinates", "rows.sha256", "tested", "units", "exchanged"),
    settings=("permutations", "confidence"),
    findings=apart,
    ledger=_ledger,
)
