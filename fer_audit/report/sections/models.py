"""Whom does a model fail? With true labels what it gets right by group, without them what it predicts of whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import fer_audit.text as t
from fer_audit.audit.types.claim import CLUSTER
from fer_audit.audit.types.models import ByAttribute, ModelAudit, RecallCell
from fer_audit.report.blocks import Block, Bullets, Charts, Column, Facts, Heading, Prose, Table
from fer_audit.report.charts.groups import by_class
from fer_audit.report.sections import model_tables as tables
from fer_audit.report.sections import values as v
from fer_audit.report.view import View

N_CELLS = 10
"""Rows of the worst cells."""
UNTRUE = (
    "No column says what is right, so nothing here is about who is failed: it cannot separate a model's bias from who shows"
    " which expression in these photos."
)
NOBODY = "No group is shown to be failed more than others."
NOT_ASKED = (
    "Whether groups are treated alike could not be asked: it takes a demographic attribute with 30 people or images of one class"
    " in two groups."
)
_SAID = ("model_fails", "model_alike", "predicted_more", "in_sample")


def _title(view: View) -> str:
    found = () if view.result.models is None else view.result.models.models
    does = "do the models" if len(found) > 1 else "does the model"
    return f"Whom {does} fail?" if any(x.truth for x in found) else f"What {does} predict of whom?"


@v.section("models", _title)
def models(view: View) -> Iterator[Block]:
    """Return what each model gets right or predicts by group, and how far models agree; None without predictions."""
    found = view.result.models
    if found is None:
        return
    several = len(found.models) > 1
    summary = _summary(view, found.models)
    yield from (Prose(text, "summary") for text in summary)
    said = [x.text for x in view.result.findings if x.code in _SAID]
    yield Bullets(tuple(x for x in said if x not in summary))
    for model in found.models:
        if several:
            yield Heading(t.clipped(model.model, 60))
        name = f"{t.clipped(model.model, 24)}: " if several else ""
        for x in _model(view, model):
            yield replace(x, title=f"{name}{x.title}") if isinstance(x, Table) else x
    if found.agreements:
        yield Heading("Do the models agree?")
        yield v.table_of(
            "Agreement of models",
            found.agreements,
            v.left(
                "models",
                lambda x: f"{t.clipped(x.first, 24)} and {t.clipped(x.second, 24)}",
                wrap=14,
            ),
            v.right("images", lambda x: t.whole(x.n)),
            v.right("called the same", lambda x: t.percent(x.same)),
            v.right(
                "kappa",
                lambda x: f"{t.or_dash(x.kappa, v.zero)} ({v.span_or_dash(x.low, x.high)})",
            ),
            note="Kappa: 0 = as often as by chance, 1 = always. Models that agree can be wrong together.",
        )
        yield from (
            _rates(x, f"All models agree, by {v.spoken(x.attribute)}") for x in found.agreed
        )


def _summary(view: View, found: Sequence[ModelAudit]) -> list[str]:
    """Return how often models are right, whom they fail most, and whom they call something more often."""
    judged = [x for x in found if x.truth]
    scores = [f"{t.clipped(x.model, 24)} {_score(x)}" for x in judged]
    first = f"Right about labelled faces: {', '.join(scores)}."
    if len(judged) == 1:
        (x,) = judged
        span = t.percent_span(x.low, x.high)
        faces = t.counted(x.labelled, "labelled face")
        first = (
            f"{t.clipped(x.model, 24)} is right about {t.percent(x.accuracy)} of {faces} ({span})."
        )
    read = "Expressions are not emotions; labels are annotators' readings."
    texts = {
        code: [x.text for x in view.result.findings if x.code == code and x.attribute != CLUSTER]
        for code in ("model_fails", "predicted_more")
    }
    fails = texts["model_fails"][:1]
    if judged and not fails:
        asked = any(by.recall_gap is not None for x in judged for by in x.by if by.demographic)
        fails = [NOBODY if asked else NOT_ASKED]
    return [f"{first} {read}" if scores else UNTRUE, *fails, *texts["predicted_more"][:1]]


def _score(model: ModelAudit) -> str:
    return f"{t.percent(model.accuracy)} ({t.percent_span(model.low, model.high)})"


def _model(view: View, model: ModelAudit) -> Iterator[Block]:
    people = [each for each in model.by if each.demographic]
    yield Facts(tuple((name, value) for name, value in _facts(model) if value))
    yield Charts(lambda: [by_class(model, x, view.palette) for x in people or [model.overall]])
    if not model.truth:
        yield _rates(model.overall, "Predicted of all")
        yield from (_rates(each, f"Predicted, by {v.spoken(each.attribute)}") for each in model.by)
        return
    yield tables.each_class(model.overall)
    yield _worst(view, model)
    if model.by:
        yield _gaps(model)
    yield from (tables.confusion_of(model, x, model.overall) for x in model.overall.errors)
    # Groups whose distance to the others has another sign within clusters.
    turned = tuple(
        f"{t.clipped(x.group, 28)} ({v.spoken(by.attribute)}): {t.difference(x.gap)} points from the others over all images,"
        f" {t.difference(x.across_clusters)} within clusters: the clusters turn the difference round."
        for by in people
        for x in by.errors
        if x.gap is not None and x.across_clusters is not None and x.gap * x.across_clusters < 0
    )
    if turned:
        yield Bullets(turned)
    thin = sum(cell.too_few for each in people for cell in each.cells)
    few = f"{t.counted(thin, 'combination')} of a group and a class with fewer than 30 people or images: compared in nothing. "
    silent = "That no difference is shown does not mean that there is none."
    if people:
        yield v.small(f"{few if thin else ''}{silent}")
    for each in model.by:
        yield tables.each_group(each)
        yield tables.each_cell(each)
        shown = [x for x in each.errors if x.n and each.demographic]
        yield from (tables.confusion_of(model, x, each) for x in shown)


def _facts(model: ModelAudit) -> Iterator[tuple[str, str]]:
    made = {
        "model": "run here",
        "table": "read from a table",
        "heldout": "fitted here, each image held out",
    }
    images = t.counted(model.n, "image")
    seen = model.trained_on or "not known"
    lost = [f"{x.name} ({t.whole(x.count)})" for x in model.unmapped_labels]
    true = f"{model.truth}, {t.counted(model.labelled, 'image')}" if model.truth else "none"
    yield "predictions", f"{model.about} of {images}, {made.get(model.kind, model.kind)}"
    yield "without a prediction", t.whole(model.not_predicted) if model.not_predicted else ""
    yield "trained on", f"{seen}{': this set is in-sample' if model.in_sample else ''}"
    yield "true labels", true
    yield "labels without a class", t.listed(lost) if lost else ""
    yield "classes without a label", t.listed(model.unmapped_classes) if model.truth else ""
    yield "never predicted", t.listed(model.never_predicted)
    yield "right", _score(model) if model.truth else ""
    yield "to know", model.caveat
    yield "notes", " ".join(model.notes)


def _rates(by: ByAttribute, title: str) -> Table:
    """Return how often each class is predicted in each group; the fewer of the two across."""
    across = [t.clipped(x.label, 14) for x in by.rates[0].rates] if by.rates else []
    down = [
        f"{t.clipped(x.group, 20)} ({t.whole(x.n)}{', too few' * x.too_few})" for x in by.rates
    ]
    cells = [
        [
            f"{t.percent(x.share)} ({t.percent_span(x.low, x.high)})" if each.n else t.NO_VALUE
            for x in each.rates
        ]
        for each in by.rates
    ]
    if len(down) <= len(across):
        down, across, cells = across, down, [list(each) for each in zip(*cells, strict=True)]
    columns = (Column("", wrap=9), *(Column(x, right=True, wrap=11) for x in across))
    rows = tuple((name, *row) for name, row in zip(down, cells, strict=True))
    return Table(title, columns, rows, "normal" if by.demographic else "detail")


def _worst(view: View, model: ModelAudit) -> Block:
    shown = [
        (each, cell)
        for each in model.by
        for cell in each.cells
        if cell.p_adjusted is not None and cell.p_adjusted <= view.alpha
        if cell.recall is not None and cell.recall < _others(each, cell)
    ]
    if not any(cell.p_adjusted is not None for each in model.by for cell in each.cells):
        return Prose("No group and class could be compared: each takes 30 people or images.")
    if not shown:
        return Prose("No group and class is shown to do worse than the others (Westfall-Young).")
    shown.sort(key=lambda x: x[1].recall or 0.0)
    return v.table_of(
        "Where it does worse than for all other groups, beyond chance",
        shown[:N_CELLS],
        v.left("by", lambda x: v.spoken(x[0].attribute), wrap=9),
        v.left("group", lambda x: t.clipped(x[1].group, 28), wrap=9),
        v.left("class", lambda x: t.clipped(x[1].label, 16), wrap=8),
        v.right("recall", lambda x: tables.recall_words(x[1]), wrap=12),
        v.right("all others", lambda x: t.percent(_others(*x))),
        v.right("adjusted p", lambda x: v.p_or_dash(x[1].p_adjusted, x[1].p, x[0].permutations)),
        note="Group labels are shuffled within each true class; p by Westfall and Young's step-down over all cells of an attribute.",
    )


def _others(by: ByAttribute, cell: RecallCell) -> float:
    rest = [x for x in by.cells if x.label == cell.label and x.group != cell.group]
    n = sum(x.n for x in rest)
    return sum(x.right for x in rest) / n if n else 0.0


def _gaps(model: ModelAudit) -> Table:
    return v.table_of(
        "How far apart groups are",
        model.by,
        v.left("by", lambda x: v.spoken(x.attribute), wrap=9),
        v.right("gap in accuracy (by chance)", _accuracy_gap, wrap=10),
        v.right("gap in recall", lambda x: _gap(x.recall_gap, x.recall_gap_p, x), wrap=9),
        v.right("Xu's F", lambda x: t.or_dash(x.xu_f, v.zero), drop=1),
        v.right("disparity", lambda x: t.or_dash(x.disparity, v.zero), drop=2),
        v.right("parity gap", lambda x: t.or_dash(x.parity_gap, v.zero), drop=4),
        v.right("odds gap", lambda x: t.or_dash(x.odds_gap, v.zero), drop=3),
        note="By chance: what groups of these sizes show on average when all are treated alike. F: 1 is fair. Disparity, parity"
        " gap (how often a class is predicted) and odds gap (recall or false alarms): 0 is fair.",
    )


def _gap(value: float | None, p: float | None, by: ByAttribute) -> str:
    at_most = t.unreached(p, by.permutations)
    return t.NO_VALUE if value is None else f"{v.zero(value)}, {t.p_phrase(p, at_most=at_most)}"


def _accuracy_gap(by: ByAttribute) -> str:
    chance = t.or_dash(by.chance_gap, v.zero)
    return _gap(by.accuracy_gap, by.accuracy_gap_p, by).replace(",", f" ({chance}),", 1)
