"""Would a small study have seen this? Many random samples of the origin paper's size, each clustered anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.console import RenderableType
from rich.text import Text

from fer_audit.audit.types.claims import Association, GroupSpread, Recluster, ReplayAttribute
from fer_audit.audit.types.result import AuditResult
from fer_audit.report.bars import TARGET, interval, scale
from fer_audit.report.tables import Column, FirstThatFits, Grid, Heading, Item, plain, prose
from fer_audit.text import because, clipped, coefficient, counted, percent, percent_span, span

NO_VALUE = "–"
_CELLS = 18
Shape = Literal["beside", "below", "without"]
_SHAPES: tuple[Shape, ...] = ("beside", "below", "without")


def replay(result: AuditResult, confidence: str) -> list[RenderableType]:
    """Return what small studies of this set would have said, and V~ with the clustering done anew; or nothing."""
    parts: list[RenderableType] = []
    if result.replay is not None:
        found = result.replay
        parts += [
            Heading("Would a small study have said the same?"),
            prose(
                f"{counted(found.studies, 'random sample')} of {counted(found.size, 'image')}, each clustered anew:"
                f" the mean V~ and where {confidence or 'most '}of the studies lie; {TARGET} is the whole set."
                " Other largest, other under: studies that name another largest group, or other under-represented"
                " groups, than the whole set does."
            ),
            Text(""),
        ]
        known = [each for each in found.attributes if each.v_corrected is not None]
        if known:
            full = _full([v for x in known for v in (x.v_corrected_high, x.v_corrected, x.v_full)])
            parts.append(FirstThatFits([_studies(known, full, shape) for shape in _SHAPES]))
        parts += [_missing(each) for each in found.attributes if each.v_corrected is None]
        parts += [line for each in found.attributes for line in _shares(each, confidence)]
    if result.recluster:
        parts += _reclustered(result.recluster, result.associations, confidence, own=not parts)
    return parts


def _studies(known: Sequence[ReplayAttribute], full: float, shape: Shape) -> Grid:
    """Return the studies beside the whole set; intervals in a column of their own, below V~, or not drawn."""
    axis = Text("\n") + scale(coefficient(full), _CELLS)
    columns = [
        Column(Text("attribute"), squeeze=9),
        Column(Text("V~ of the studies") + (axis if shape == "below" else ""), squeeze=16),
        Column(Text("whole\nset"), right=True),
        Column(Text("other\nlargest"), right=True),
        Column(Text("other\nunder"), right=True),
        Column(Text('p says "clusters\ndiffer" (whole set)'), squeeze=14),
    ]
    rows = []
    for each in known:
        value, low, high = each.v_corrected or 0.0, each.v_corrected_low, each.v_corrected_high
        line = Text("")
        if low is not None and high is not None:
            line = interval(value, low, high, full=full, cells=_CELLS, mark=each.v_full)
        said = Text(f"{coefficient(value)} ({span(low, high)})")
        row = [
            plain(clipped(each.attribute, 28), "bold"),
            said + "\n" + line if shape == "below" else said,
            Text(NO_VALUE if each.v_full is None else coefficient(each.v_full), "bold"),
            _percent(each.other_largest),
            _percent(each.other_under_represented),
            Text.assemble(_percent(each.called_different), f" ({_yes(each)})"),
        ]
        rows.append([row[0], line, *row[1:]] if shape == "beside" else row)
    return Grid([columns[0], Column(axis), *columns[1:]] if shape == "beside" else columns, rows)


def _yes(each: ReplayAttribute) -> str:
    known = {True: "yes", False: "no", None: NO_VALUE}
    return known[each.full_called_different]


def _percent(share: float | None) -> Text:
    return Text(NO_VALUE if share is None else percent(share))


def _missing(each: ReplayAttribute) -> RenderableType:
    return Item(
        plain(f"? {clipped(each.attribute, 28)}", "bold"), plain(because(each.not_computable))
    )


def _shares(each: ReplayAttribute, confidence: str) -> list[RenderableType]:
    """Return the group whose share a small study gets most wrong, for its size."""
    present = [group for group in each.groups if group.share > 0]
    if not present:
        return []
    worst = max(present, key=_uncertainty)
    text = (
        f"{clipped(each.attribute, 28)}: least sure is {clipped(worst.group, 28)}, {percent(worst.share)} of the set;"
        f" {confidence or 'most '}of the studies say {percent_span(worst.low, worst.high)} %."
    )
    return [Item(Text("●", "cyan"), plain(text))]


def _uncertainty(group: GroupSpread) -> float:
    return (group.high - group.low) / group.share


def _reclustered(
    found: Sequence[Recluster], associations: Sequence[Association], confidence: str, *, own: bool
) -> list[RenderableType]:
    """Return V~ with its interval, clusters fixed and clustered anew in every resample."""
    fixed = {each.attribute: each for each in associations}
    columns = [
        Column(Text("attribute"), squeeze=9),
        Column(Text("resamples"), right=True, squeeze=5),
        Column(Text(f"V~, clusters fixed\n({confidence}interval)"), squeeze=16),
        Column(Text(f"V~, clustered anew\n({confidence}interval)"), squeeze=16),
    ]
    rows = [
        [
            plain(clipped(each.attribute, 28), "bold"),
            Text(f"{each.resamples:,}"),
            _interval_of(fixed.get(each.attribute)),
            _interval_of(each),
        ]
        for each in found
    ]
    return [
        Heading("How sure is it when the clusters are made again?") if own else Text(""),
        prose(
            "Clustered anew in every bootstrap resample: how sure V~ is when the clusters are part of the doubt."
        ),
        Text(""),
        Grid(columns, rows),
    ]


def _interval_of(each: Association | Recluster | None) -> Text:
    if each is None or each.v_corrected is None:
        return Text("not computable" if each is not None else NO_VALUE)
    return Text(f"{coefficient(each.v_corrected)} ({span(each.low, each.high)})")


def _full(values: Sequence[float | None]) -> float:
    return max((value for value in values if value is not None), default=1.0)
