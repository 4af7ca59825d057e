"""Do heads that are meant to treat groups alike do so? Xu et al.'s three approaches and three more, on frozen vectors.

Probe-level analogues: the network that made the vectors is not trained again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.remedies.erasure import (
    Sample,
    erased_probes,
    erased_sample,
    estimate,
    sample_of,
    why_silent,
)
from fer_audit.audit.remedies.remedy_findings import mitigation_findings
from fer_audit.audit.stats.confusion import xu_f
from fer_audit.audit.stats.probe_arms import (
    BASELINE,
    arms_of_fold,
    held_out,
    resampled_counts,
    shares_right,
)
from fer_audit.audit.stats.tables import Counts, Floats
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.remedies import BeforeAfter, Estimate, Mitigation, MitigationArm
from fer_audit.config import ANY_LABEL
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng


def _subjects(inputs: AuditInputs) -> Iterator[tuple[Attribute, Attribute]]:
    """Yield each label that is asked for with each attribute of people."""
    clustering, asked = inputs.clustering, inputs.config.statistics.mitigate
    if clustering is None or clustering.coordinates is None or not asked:
        return
    for label in inputs.for_tests:
        if label.name == asked or (asked == ANY_LABEL and label.kind == "label"):
            for each in inputs.people:
                if (
                    label.name not in (each.name, each.mapped_from)
                    and each.name != label.mapped_from
                ):
                    yield label, each


def _run(inputs: AuditInputs, label: Attribute, attribute: Attribute) -> Mitigation:
    with threadpool_limits(1):  # small products, and digits that depend on no number of threads
        return _mitigate(inputs, label, attribute)


def _mitigate(inputs: AuditInputs, label: Attribute, attribute: Attribute) -> Mitigation:
    sample = sample_of(inputs, label, attribute)
    y, g = (each.codes[sample.rows].astype(np.int64) for each in (label, attribute))
    found = Mitigation(
        label=label.name,
        attribute=attribute.name,
        n=len(sample.rows),
        unit=inputs.units.exchanged,
        units=sample.n_units,
        dimensions=sample.x.shape[1],
    )
    shape = len(attribute.categories), len(label.categories)
    counts = np.zeros(shape, np.int64)
    np.add.at(counts, (g, y), 1)
    units = [len(np.unique(sample.units[g == code])) for code in range(shape[0])]
    groups = np.flatnonzero(np.array(units) >= TOO_FEW)
    classes = np.flatnonzero((counts[groups] > 0).all(axis=0)) if len(groups) else groups
    reason = why_silent(sample, label, attribute)
    if not reason and (len(groups) < 2 or len(classes) < 2):
        reason = f"fewer than two groups of {TOO_FEW} units have two classes in common"
    if reason:
        return replace(found, not_computable=(("arms", reason),))
    answers = _answers(inputs, sample, y, g, found)
    had = [name for name, each in answers.items() if each is not None]
    right = np.column_stack([answers[name] == y for name in had])
    settings = inputs.config.statistics
    rng = stage_rng(inputs.config.seed, "audit", "mitigation", label.name, attribute.name, "draws")
    drawn = resampled_counts(
        sample.units, g * shape[1] + y, right, draws=settings.bootstraps, rng=rng
    )
    full = np.zeros((len(drawn), shape[0] * shape[1], drawn.shape[2]), np.int64)
    full[:, : drawn.shape[1]] = drawn
    arms = _arms(
        full.reshape(-1, *shape, drawn.shape[2]),
        groups,
        classes,
        had,
        attribute,
        settings.confidence,
    )
    probes, shrunk = list[BeforeAfter](), False
    for keep in (None, y):
        erased = erased_sample(sample, g, keep)
        if erased is not None:
            shrunk |= erased.shrunk
            probes += erased_probes(sample, inputs, attribute, erased)
    return replace(
        found,
        shrunk=shrunk,
        classes=tuple(label.categories[each] for each in classes),
        groups=tuple(attribute.categories[each] for each in groups),
        least_cell=int(counts[np.ix_(groups, classes)].min()),
        arms=tuple(arms),
        probes=tuple(probes),
        not_computable=tuple(
            (name, "it cannot be fitted on these groups and classes")
            for name, each in answers.items()
            if each is None
        ),
    )


def _answers(
    inputs: AuditInputs,
    sample: Sample,
    y: NDArray[np.int64],
    g: NDArray[np.int64],
    found: Mitigation,
) -> dict[str, NDArray[np.int64] | None]:
    """Return the (n,) class that each arm gives each row, from heads that saw no row of its unit."""
    answers: dict[str, NDArray[np.int64] | None] = {}
    rng = stage_rng(inputs.config.seed, "audit", "mitigation", found.label, found.attribute)
    for fitted, out in held_out(sample.folds):
        arms = arms_of_fold(sample.x[fitted], y[fitted], g[fitted], rng)
        for name, answer in arms.items():
            mine = answers.setdefault(name, np.full(len(y), -1, np.int64))
            if answer is None or mine is None:
                answers[name] = None
            else:
                mine[out] = answer(sample.x[out], g[out])
    return answers


def _arms(
    counts: Counts,
    groups: NDArray[np.intp],
    classes: NDArray[np.intp],
    names: list[str],
    attribute: Attribute,
    confidence: float,
) -> Iterator[MitigationArm]:
    """Yield each arm's measures from (1 + draws, groups, classes, 1 + arms) counts, with gains over the first arm."""
    recalls = np.moveaxis(shares_right(counts)[:, groups][:, :, classes], -1, 0)
    seen = np.isfinite(recalls).all(axis=(0, 2, 3))  # a draw without a cell tells nothing
    recalls, totals = recalls[:, seen], counts[seen].sum(axis=(1, 2))
    fairness, means = xu_f(recalls), recalls.mean(axis=-1)
    worst, best = means.min(axis=-1), means.max(axis=-1)
    accuracy = (totals[:, 1:] / totals[:, :1]).T
    shared = 1 - (1 - confidence) / max(len(names) - 1, 1)

    def gain(of: Floats, arm: int) -> Estimate:
        return estimate(np.nan_to_num(of[arm] - of[0]), shared)

    for arm, name in enumerate(names):
        risen = gain(fairness, arm)
        lost, won = best[0, 0] - best[arm, 0], worst[arm, 0] - worst[0, 0]
        yield MitigationArm(
            arm=name,
            fairness=float(np.nan_to_num(fairness[arm, 0])),
            worst=float(worst[arm, 0]),
            worst_group=attribute.categories[groups[means[arm, 0].argmin()]],
            best=float(best[arm, 0]),
            accuracy=float(accuracy[arm, 0]),
            fairness_gain=risen,
            worst_gain=gain(worst, arm),
            accuracy_gain=gain(accuracy, arm),
            levelling_down=bool(name != BASELINE and risen.low > 0 and lost > won),
        )


ANALYSIS = Analysis(
    name="mitigations",
    record=Mitigation,
    run=_run,
    subjects=_subjects,
    needs=("clustering.coordinates", "tested", "units"),
    settings=("bootstraps", "confidence"),
    findings=mitigation_findings,
)
"""Only where --mitigate asks for it."""
