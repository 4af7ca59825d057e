"""The clusters: how they were found, and who is in each (the table of the origin paper, for any attribute)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.console import RenderableType
from rich.text import Text

from fer_audit.audit.types.claims import Association, AssociationCell, ClusterFacts, StabilityFacts
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.result import AuditResult
from fer_audit.report.bars import bar
from fer_audit.report.tables import Column, FirstThatFits, Grid, Heading, plain, prose
from fer_audit.text import NONE, clipped, counted, large, percent, whole

MANY_GROUPS = 12
"""Above this a table of clusters x groups is left to result.json."""
_SWEEP_CELLS = 32


def clusters(result: AuditResult, alpha: float) -> list[RenderableType]:
    """Return the sizes, the elbow, the spread over starts and one table for each attribute."""
    parts: list[RenderableType] = [Heading("Who is in each cluster?")]
    facts = result.clustering
    if facts is None:
        return [*parts, prose("No clusters: the images were not embedded, or too few of them.")]
    tables = [a for a in result.associations if a.kind in ("demographic", "label") and a.table]
    shown = [association for association in tables if len(association.groups) <= MANY_GROUPS]
    if shown:
        parts += [
            prose(
                "Each share is of the images in that cluster; all is the whole set."
                " ▲ more and ▼ fewer than chance allows (Benjamini-Hochberg over the table)."
                f" A cell marked few has under {TOO_FEW} images and is not judged."
            ),
            Text(""),
        ]
    loose = unstable(result.stability)
    if shown and loose:
        parts += [
            prose("Unstable clusters do not come back in resamples: read nothing into them."),
            Text(""),
        ]
    for association in shown:
        parts += [cluster_table(association, alpha, loose), Text("")]
    for association in tables:
        if association not in shown:
            parts.append(
                prose(
                    f"{clipped(association.attribute, 28)}: {counted(len(association.groups), 'group')},"
                    " too many for a table here; all of them are in result.json."
                )
            )
    return [*parts, *_how_found(facts)]


def unstable(stability: StabilityFacts | None) -> frozenset[int]:
    """Return the clusters that do not come back in resamples."""
    found = () if stability is None else stability.clusters
    return frozenset(each.cluster for each in found if not each.stable)


def cluster_table(
    association: Association, alpha: float, loose: frozenset[int] = frozenset()
) -> FirstThatFits:
    """Return clusters x groups in the shape that fits: cells on one line or two, upright or turned.

    The clusters in `loose` are dimmed and called unstable.
    """
    return FirstThatFits(
        [
            _grid(association, alpha, loose, joint=" ", turned=False),
            _grid(association, alpha, loose, joint="\n", turned=False),
            _grid(association, alpha, loose, joint=" ", turned=True),
            _grid(association, alpha, loose, joint="\n", turned=True),
        ]
    )


def _grid(
    association: Association, alpha: float, loose: frozenset[int], *, joint: str, turned: bool
) -> Grid:
    totals = [added(row) for row in association.table]
    whole_table = added(totals)
    known = {(cell.cluster, cell.group): cell for cell in association.cells}
    few = any(cell.too_few for cell in association.cells)
    shares = [
        count / total
        for row, total in zip(association.table, totals, strict=True)
        for count in row
        if total and count is not None
    ]
    style = _CellStyle(
        alpha,
        joint,
        mark_width=4 if few else 2,
        share_width=max((len(percent(share)) for share in shares), default=0),
    )
    body = [
        [
            style.cell(count, total, known.get((cluster, group)))
            for group, count in zip(association.groups, row, strict=True)
        ]
        for cluster, (row, total) in enumerate(zip(association.table, totals, strict=True))
    ]
    sums = [added(column) for column in zip(*association.table, strict=True)]
    body.append([style.cell(count, whole_table, None) for count in sums])
    sides = [Text(f"{cluster} ({whole(total)})") for cluster, total in enumerate(totals)]
    for cluster in loose & set(range(len(sides))):
        sides[cluster].append("\nunstable")
        for cell in (sides[cluster], *body[cluster]):
            cell.stylize("dim")
    sides.append(Text(f"all ({whole(whole_table)})"))
    heads = [plain(clipped(group, 20)) for group in association.groups]
    if turned:
        body = [list(column) for column in zip(*body, strict=True)]
        sides, heads = heads, sides
    columns = [Column(plain(clipped(association.attribute, 20), "bold"))]
    columns += [Column(head, right=True) for head in heads]
    return Grid(
        columns,
        [[side, *cells] for side, cells in zip(sides, body, strict=True)],
        rule_before_last=not turned,
    )


def added(counts: Sequence[int | None]) -> int | None:
    """Return the sum of a line; None when a part of it is withheld."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


@dataclass(frozen=True, slots=True)
class _CellStyle:
    """How a table writes its cells: all as wide as each other, so that digits stand below digits."""

    alpha: float
    joint: str
    """Between count and share: spaces, or a line break."""
    mark_width: int
    share_width: int

    def cell(self, count: int | None, total: int | None, cell: AssociationCell | None) -> Text:
        if count is None:
            return Text(whole(count), style="dim")
        known = count / total if total else None if cell is None else cell.share
        share = ("" if known is None else percent(known)).rjust(self.share_width)
        if cell is not None and cell.too_few:
            return Text(f"{count:,} few{self.joint}{share}", style="dim")
        mark, style = " ", ""
        if cell is not None and cell.residual is not None and cell.p_adjusted is not None:
            if cell.p_adjusted <= self.alpha and cell.residual > 0:
                mark, style = "▲", "bold cyan"
            elif cell.p_adjusted <= self.alpha and cell.residual < 0:
                mark, style = "▼", "bold magenta"
        return Text.assemble(
            f"{count:,} ", (f"{mark:{self.mark_width - 1}}", style), self.joint, share
        )


def _how_found(facts: ClusterFacts) -> list[RenderableType]:
    starts = facts.starts
    spread = (
        (starts.inertia_max - starts.inertia_min) / starts.inertia_min
        if starts.inertia_min
        else 0.0
    )
    near = f"; {starts.near_best:,} within 0.1 % of the best" if starts.near_best else ""
    parts: list[RenderableType] = [
        prose(
            f"K-Means with k = {facts.k}, inertia {large(facts.inertia)}."
            f" Best of {counted(starts.n, 'start')}: they ended between {large(starts.inertia_min)} and"
            f" {large(starts.inertia_max)} in the reduced space, {percent(spread)} apart{near}."
        )
    ]
    if facts.votes:
        votes = ", ".join(
            f"{each.criterion} {NONE if each.k is None else each.k}" for each in facts.votes
        )
        parts.append(prose(f"k was chosen, not given. Votes: {votes}; the lower median counts."))
    if facts.sweep:
        parts += [Text(""), _elbow(facts)]
    return parts


def _elbow(facts: ClusterFacts) -> Grid:
    """Return the sweep over k. A bar is what one more cluster saves: the elbow is where the bars turn short."""
    drops = [0.0]
    drops += [_drop(before.inertia, after.inertia) for before, after in pairwise(facts.sweep)]
    columns = [
        Column(Text("k"), right=True),
        Column(Text("inertia"), right=True),
        Column(Text("saved"), right=True),
        Column(Text("by one more cluster")),
    ]
    rows: list[Sequence[Text]] = []
    for index, (entry, drop) in enumerate(zip(facts.sweep, drops, strict=True)):
        used = entry.k == facts.k
        style = "bold" if used else ""
        line = bar(drop, full=max(drops), cells=_SWEEP_CELLS, style="green" if used else "cyan")
        line.rstrip()
        rows.append(
            [
                Text(f"{entry.k}", style),
                Text(large(entry.inertia), style),
                Text(percent(drop) if index else "", style),
                Text.assemble(line, (" ◀ used here", "bold")) if used else line,
            ]
        )
    return Grid(columns, rows)


def _drop(before: float, after: float) -> float:
    return (before - after) / before if before else 0.0
