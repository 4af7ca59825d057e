"""The analysis: every model's predictions, by every demographic attribute and by the clusters, and what the models agree on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.claims.associations import clusters_as_column
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.models.by_group import errors_of, rates_of
from fer_audit.audit.models.findings import model_findings
from fer_audit.audit.models.scored import Ints, scored
from fer_audit.audit.models.truth import in_classes
from fer_audit.audit.stats.label_noise import kappa
from fer_audit.audit.types.models import (
    Agreement,
    ByAttribute,
    GroupErrors,
    ModelAudit,
    ModelsAudit,
    RecallCell,
)
from fer_audit.audit.types.result import NO_CORRECTION, LedgerEntry
from fer_audit.classify.types import Predictions
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng
from fer_audit.text import unreached

MOST_CROSSED = 60
"""Groups x clusters; more are mostly too few images."""


def _run(inputs: AuditInputs) -> ModelsAudit | None:
    if not inputs.predictions:
        return None
    named = list(zip(inputs.predicted, inputs.predictions, strict=True))
    models = tuple(_audit(inputs, column.name, said) for column, said in named)
    agreements: list[Agreement] = []
    agreed: list[ByAttribute] = []
    for about in dict.fromkeys(said.about for _, said in named):
        alike = [(column.name, said) for column, said in named if said.about == about]
        agreements += [_agreement(inputs, *pair) for pair in combinations(alike, 2)]
        if len(alike) > 1:
            agreed += _agreed(inputs, [said for _, said in alike])
    return ModelsAudit(models, tuple(agreements), tuple(agreed))


def _audit(inputs: AuditInputs, name: str, said: Predictions) -> ModelAudit:
    model, truth = scored(inputs, said)
    known = model.label >= 0
    has_truth = truth is not None and bool(known.any())
    of = errors_of if has_truth else rates_of
    about = {said.about, said.about if truth is None else truth.attribute}
    everyone = Attribute("everyone", ("all",), np.zeros(len(inputs.dataset), np.int16), "label")
    overall, *by = (
        of(
            column,
            replace(
                model,
                rng=stage_rng(inputs.config.seed, "models", name, column.name),
                clusters=model.clusters if column.kind == "demographic" else None,
            ),
        )
        for column in (everyone, *_columns(inputs, about, crossed=has_truth))
    )
    whole = replace(overall.errors[0], not_computable=()) if has_truth else None
    overall = replace(overall, errors=() if whole is None else (whole,), not_computable=())
    used = np.bincount(model.said, minlength=len(said.classes))
    return ModelAudit(
        model=name,
        kind=said.by.kind,
        about=said.about,
        sha256=said.by.sha256,
        trained_on=said.by.trained_on,
        in_sample=said.folds is None and bool(said.by.seen),
        caveat=said.by.caveat,
        notes=said.notes,
        classes=said.classes,
        n=len(model.rows),
        not_predicted=int((inputs.tested & ~said.ok).sum()),
        truth=truth.attribute if truth is not None and has_truth else "",
        labelled=int(known.sum()),
        unmapped_labels=() if truth is None else truth.unmapped_labels,
        unmapped_classes=() if truth is None else truth.unmapped_classes,
        never_predicted=tuple(x for x, n in zip(said.classes, used, strict=True) if not n),
        accuracy=None if whole is None else whole.accuracy,
        low=None if whole is None else whole.low,
        high=None if whole is None else whole.high,
        overall=overall,
        by=tuple(by),
        not_computable=()
        if has_truth
        else (("accuracy", "no label column has two of the model's classes"),),
    )


def _columns(inputs: AuditInputs, about: set[str], *, crossed: bool) -> Iterator[Attribute]:
    """Yield the demographic attributes but what is predicted, the clusters, and each crossed with them."""
    people = [each for each in inputs.people if not about & {each.name, each.mapped_from}]
    yield from people
    clusters = inputs.once(clusters_as_column)
    if clusters is None:
        return
    yield clusters
    for each in people if crossed else ():
        names = tuple(f"{x} · {y}" for x in each.categories for y in clusters.categories)
        if len(names) <= MOST_CROSSED:
            both = (each.codes >= 0) & (clusters.codes >= 0)
            codes = np.where(both, each.codes * len(clusters.categories) + clusters.codes, -1)
            yield replace(
                *(each,),
                name=f"{each.name} x {clusters.name}",
                kind="label",
                categories=names,
                codes=codes.astype(np.int16),
            )


def _common_codes(said: Sequence[Predictions], rows: NDArray[np.intp]) -> list[Ints]:
    """Return the predictions of each, in the classes of the first; a class that it does not have is one of its own."""
    first = said[0].classes
    found = []
    for number, each in enumerate(said):
        to = in_classes(each.classes, first, each.about)
        own = len(first) * (number + 1) + np.arange(len(each.classes))
        found.append(np.where(to >= 0, to, own)[each.codes[rows]])
    return found


def _agreement(
    inputs: AuditInputs, first: tuple[str, Predictions], second: tuple[str, Predictions]
) -> Agreement:
    from scipy.stats import norm  # 0.9 s that a warm rerun would wait for

    said = (first[1], second[1])
    rows = np.flatnonzero(inputs.tested & said[0].ok & said[1].ok)
    a, b = _common_codes(said, rows)
    found = kappa(a, b, inputs.units.people(len(inputs.dataset))[rows])
    names = (first[0], second[0], len(rows), float((a == b).mean()) if len(rows) else None)
    if found is None:
        why = "all images have one prediction" if len(rows) else "no image has two predictions"
        missing = [(name, why) for name in ("kappa", "low", "high")]
        return Agreement(
            *names, None, None, None, (*missing, *([] if len(rows) else [("same", why)]))
        )
    half = float(norm.ppf((1 + inputs.config.statistics.confidence) / 2)) * found[1]
    return Agreement(*names, found[0], max(-1.0, found[0] - half), min(1.0, found[0] + half))


def _agreed(inputs: AuditInputs, said: Sequence[Predictions]) -> Iterator[ByAttribute]:
    """Yield how often all models call an image the same, by each demographic attribute."""
    rows = np.flatnonzero(inputs.tested & np.all([each.ok for each in said], axis=0))
    codes = _common_codes(said, rows)
    same = np.all([each == codes[0] for each in codes], axis=0)
    model, _ = scored(inputs, replace(said[0], ok=np.all([each.ok for each in said], axis=0)))
    model = replace(model, said=np.where(same, codes[0], -1))
    for column in inputs.people:
        if said[0].about not in (column.name, column.mapped_from):
            yield rates_of(column, model)


def _ledger(found: ModelsAudit | None) -> Iterator[LedgerEntry]:
    for model in () if found is None else found.models:
        for by in model.by:
            subject = f"{model.model} x {by.attribute}"
            how = f"{by.permutations:,} shuffles of groups by {by.unit}"
            tests = (
                ("gap in accuracy", "", [by.accuracy_gap_p], [None]),
                ("gap in recall", " within true classes", [by.recall_gap_p], [None]),
                ("accuracy of a group", "", *_pairs_of(by.errors)),
                ("recall of a group and class", " within true classes", *_pairs_of(by.cells)),
            )
            for family, where, p, adjusted in tests:
                known = [(x, y) for x, y in zip(p, adjusted, strict=True) if x is not None]
                if not known:
                    continue
                least, corrected = min(known, key=lambda each: (each[1] or 0.0, each[0]))
                yield LedgerEntry(
                    family=family,
                    subject=subject,
                    method=how + where,
                    p=least,
                    p_corrected=corrected,
                    correction=NO_CORRECTION if corrected is None else WESTFALL_YOUNG,
                    tests=len(known),
                    at_most=unreached(least, by.permutations),
                )
            across = [x.across_clusters_p for x in by.errors if x.across_clusters_p is not None]
            if across:
                yield LedgerEntry(
                    family="accuracy within clusters",
                    subject=subject,
                    method="Cochran-Mantel-Haenszel, chi-squared",
                    p=min(across),
                    p_corrected=None,
                    correction=NO_CORRECTION,
                    tests=len(across),
                )


WESTFALL_YOUNG = "Westfall-Young"


def _pairs_of(
    records: Sequence[GroupErrors | RecallCell],
) -> tuple[list[float | None], list[float | None]]:
    return [x.p for x in records], [x.p_adjusted for x in records]


ANALYSIS = Analysis(
    name="models",
    record=ModelsAudit | None,
    run=_run,
    needs=(
        *("predictions", "tested", "units", "for_tests", "clustering.labels", "dataset.soft"),
        "clustering.k",
        *("dataset.attributes", "dataset.name", "dataset.format", "rows.sha256", "rows.ok"),
    ),
    settings=("permutations", "bootstraps", "confidence"),
    findings=model_findings,
    ledger=_ledger,
)
