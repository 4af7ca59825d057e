"""Whom does a model fail? With true labels what it gets right by group, without them what it predicts of whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fer_audit.audit.types.claim import CLUSTER
from fer_audit.audit.types.models import (
    Agreement,
    ByAttribute,
    ModelAudit,
    RecallCell,
)
from fer_audit.report.blocks import (
    Block,
    Bullets,
    Charts,
    Column,
    Facts,
    Heading,
    Prose,
    Section,
    Table,
)
from fer_audit.report.charts.models import by_class
from fer_audit.report.sections.model_tables import (
    confusion_of,
    each_cell,
    each_class,
    each_group,
    p_words,
    recall_words,
)
from fer_audit.report.sections.values import (
    left,
    right,
    span_or_dash,
    spoken,
    table_of,
    zero,
)
from fer_audit.report.view import View
from fer_audit.text import (
    NO_VALUE,
    clipped,
    counted,
    difference,
    listed,
    or_dash,
    p_phrase,
    percent,
    percent_span,
    unreached,
    whole,
)

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


def models(view: View) -> Section | None:
    """Return what each model gets right or predicts by group, and how far models agree; None without predictions."""
    found = view.result.models
    if found is None:
        return None
    several = len(found.models) > 1
    summary = _summary(view, found.models)
    blocks: list[Block] = [Prose(text, "summary") for text in summary]
    said = [x.text for x in view.result.findings if x.code in _SAID]
    blocks += [Bullets(tuple(x for x in said if x not in summary))]
    for model in found.models:
        blocks += [Heading(clipped(model.model, 60))] if several else []
        made = _model(view, model)
        name = f"{clipped(model.model, 24)}: " if several else ""
        blocks += [
            replace(x, title=f"{name}{x.title}") if isinstance(x, Table) else x for x in made
        ]
    if found.agreements:
        blocks += [Heading("Do the models agree?"), _agreements(found.agreements)]
        blocks += [_rates(x, f"All models agree, by {spoken(x.attribute)}") for x in found.agreed]
    truth = any(model.truth for model in found.models)
    does = ("does the model", "do the models")[several]
    title = f"Whom {does} fail?" if truth else f"What {does} predict of whom?"
    return Section("models", title, tuple(blocks))


_SAID = ("model_fails", "model_alike", "predicted_more", "in_sample")


def _summary(view: View, found: Sequence[ModelAudit]) -> list[str]:
    """Return how often models are right, whom they fail most, and whom they call something more often."""
    right = [x for x in found if x.truth]
    scores = [
        f"{clipped(x.model, 24)} {percent(x.accuracy)} ({percent_span(x.low, x.high)})"
        for x in right
    ]
    first = f"Right about labelled faces: {', '.join(scores)}."
    if len(right) == 1:
        (x,) = right
        first = (
            f"{clipped(x.model, 24)} is right about {percent(x.accuracy)} of {counted(x.labelled, 'labelled face')}"
            f" ({percent_span(x.low, x.high)})."
        )
    read = "Expressions are not emotions; labels are annotators' readings."
    first = f"{first} {read}" if scores else UNTRUE
    texts = {
        code: [x.text for x in view.result.findings if x.code == code and x.attribute != CLUSTER]
        for code in ("model_fails", "predicted_more")
    }
    fails = texts["model_fails"][:1]
    if right and not fails:
        asked = any(by.recall_gap is not None for x in right for by in x.by if by.demographic)
        fails = [NOBODY if asked else NOT_ASKED]
    return [first, *fails, *texts["predicted_more"][:1]]


def _model(view: View, model: ModelAudit) -> list[Block]:
    people = [each for each in model.by if each.demographic]
    blocks: list[Block] = [Facts(_facts(model))]
    blocks += [
        Charts(lambda: [by_class(model, each, view.palette) for each in people or [model.overall]])
    ]
    if not model.truth:
        return [
            *blocks,
            _rates(model.overall, "Predicted of all"),
            *(_rates(each, f"Predicted, by {spoken(each.attribute)}") for each in model.by),
        ]
    blocks += [
        each_class(model.overall),
        _worst(view, model),
        *([_gaps(model)] if model.by else []),
    ]
    blocks += [confusion_of(model, x, model.overall) for x in model.overall.errors]
    blocks += [Bullets(turned)] if (turned := _turned(people)) else []
    thin = sum(cell.too_few for each in people for cell in each.cells)
    few = f"{counted(thin, 'combination')} of a group and a class with fewer than 30 people or images: compared in nothing. "
    silent = "That no difference is shown does not mean that there is none."
    blocks.append(Prose(f"{few if thin else ''}{silent}", tone="small"))
    for each in model.by:
        blocks += [each_group(each), each_cell(each)]
        blocks += [confusion_of(model, x, each) for x in each.errors if x.n and each.demographic]
    return blocks


def _facts(model: ModelAudit) -> tuple[tuple[str, str], ...]:
    made = {
        "model": "run here",
        "table": "read from a table",
        "heldout": "fitted here, each image held out",
    }
    seen = model.trained_on or "not known"
    lost = [f"{x.name} ({whole(x.count)})" for x in model.unmapped_labels]
    facts = (
        (
            "predictions",
            f"{model.about} of {counted(model.n, 'image')}, {made.get(model.kind, model.kind)}",
        ),
        ("without a prediction", whole(model.not_predicted) if model.not_predicted else ""),
        ("trained on", f"{seen}{': this set is in-sample' if model.in_sample else ''}"),
        (
            "true labels",
            f"{model.truth}, {counted(model.labelled, 'image')}" if model.truth else "none",
        ),
        ("labels without a class", listed(lost) if lost else ""),
        ("classes without a label", listed(model.unmapped_classes) if model.truth else ""),
        ("never predicted", listed(model.never_predicted)),
        (
            "right",
            f"{percent(model.accuracy)} ({percent_span(model.low, model.high)})"
            if model.truth
            else "",
        ),
        ("to know", model.caveat),
        ("notes", " ".join(model.notes)),
    )
    return tuple((name, value) for name, value in facts if value)


def _rates(by: ByAttribute, title: str) -> Table:
    """Return how often each class is predicted in each group; the fewer of the two across."""
    classes = [clipped(x.label, 14) for x in by.rates[0].rates] if by.rates else []
    groups = [f"{clipped(x.group, 20)} ({whole(x.n)}{', too few' * x.too_few})" for x in by.rates]
    cells = [
        [
            f"{percent(x.share)} ({percent_span(x.low, x.high)})" if each.n else NO_VALUE
            for x in each.rates
        ]
        for each in by.rates
    ]
    down, across = groups, classes
    if len(groups) <= len(classes):
        down, across, cells = classes, groups, [list(each) for each in zip(*cells, strict=True)]
    columns = tuple(Column(x, right=True, wrap=11) for x in across)
    return Table(
        title,
        (Column("", wrap=9), *columns),
        tuple((name, *row) for name, row in zip(down, cells, strict=True)),
        "normal" if by.demographic else "detail",
    )


def _worst(view: View, model: ModelAudit) -> Block:
    shown = [
        (each, cell)
        for each in model.by
        for cell in each.cells
        if cell.p_adjusted is not None
        and cell.p_adjusted <= view.alpha
        and cell.recall is not None
        and cell.recall < _others(each, cell)
    ]
    if not shown:
        return Prose("No group and class is shown to do worse than the others (Westfall-Young).")
    shown.sort(key=lambda x: x[1].recall or 0.0)
    return table_of(
        "Where it does worse than for all other groups, beyond chance",
        shown[:N_CELLS],
        left("by", lambda x: spoken(x[0].attribute), wrap=9),
        left("group", lambda x: clipped(x[1].group, 28), wrap=9),
        left("class", lambda x: clipped(x[1].label, 16), wrap=8),
        right("recall", lambda x: recall_words(x[1]), wrap=12),
        right("all others", lambda x: percent(_others(*x))),
        right("adjusted p", lambda x: p_words(x[1].p_adjusted, x[0], x[1].p)),
        note="Group labels are shuffled within each true class; p by Westfall and Young's step-down over all cells of an attribute.",
    )


def _others(by: ByAttribute, cell: RecallCell) -> float:
    rest = [x for x in by.cells if x.label == cell.label and x.group != cell.group]
    n = sum(x.n for x in rest)
    return sum(x.right for x in rest) / n if n else 0.0


def _gaps(model: ModelAudit) -> Table:
    return table_of(
        "How far apart groups are",
        model.by,
        left("by", lambda x: spoken(x.attribute), wrap=9),
        right("gap in accuracy (by chance)", _accuracy_gap, wrap=10),
        right("gap in recall", lambda x: _gap(x.recall_gap, x.recall_gap_p, x), wrap=9),
        right("Xu's F", lambda x: or_dash(x.xu_f, zero), drop=1),
        right("disparity", lambda x: or_dash(x.disparity, zero), drop=2),
        right("parity gap", lambda x: or_dash(x.parity_gap, zero), drop=4),
        right("odds gap", lambda x: or_dash(x.odds_gap, zero), drop=3),
        note=(
            "By chance: what groups of these sizes show on average when all are treated alike. F: 1 is fair. Disparity, parity"
            " gap (how often a class is predicted) and odds gap (recall or false alarms): 0 is fair."
        ),
    )


def _turned(people: Sequence[ByAttribute]) -> tuple[str, ...]:
    """Return the groups whose distance to the others has another sign within clusters."""
    return tuple(
        f"{clipped(x.group, 28)} ({spoken(by.attribute)}): {difference(x.gap)} points from the others over all images,"
        f" {difference(x.across_clusters)} within clusters: the clusters turn the difference round."
        for by in people
        for x in by.errors
        if x.gap is not None and x.across_clusters is not None and x.gap * x.across_clusters < 0
    )


def _gap(value: float | None, p: float | None, by: ByAttribute) -> str:
    at_most = unreached(p, by.permutations)
    return NO_VALUE if value is None else f"{zero(value)}, {p_phrase(p, at_most=at_most)}"


def _accuracy_gap(by: ByAttribute) -> str:
    chance = or_dash(by.chance_gap, zero)
    return _gap(by.accuracy_gap, by.accuracy_gap_p, by).replace(",", f" ({chance}),", 1)


def _agreements(found: Sequence[Agreement]) -> Table:
    return table_of(
        "Agreement of models",
        found,
        left("models", lambda x: f"{clipped(x.first, 24)} and {clipped(x.second, 24)}", wrap=14),
        right("images", lambda x: whole(x.n)),
        right("called the same", lambda x: percent(x.same)),
        right("kappa", lambda x: f"{or_dash(x.kappa, zero)} ({span_or_dash(x.low, x.high)})"),
        note="Kappa: 0 = as often as by chance, 1 = always. Models that agree can be wrong together.",
    )
