"""The clusters: who is in each (the table of the origin paper, for any attribute), and how they were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from fer_audit.audit.types.claims import Association, AssociationCell
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.stability import ClusterFacts
from fer_audit.report.blocks import (
    Bar,
    Block,
    Cards,
    Charts,
    Column,
    Heading,
    Prose,
    Section,
    Table,
)
from fer_audit.report.charts.stability import elbow
from fer_audit.report.sections.cluster_cards import cards
from fer_audit.report.sections.cluster_names import telling
from fer_audit.report.sections.map import missing_pictures, why_missing
from fer_audit.report.sections.values import left, right, spoken, table_of
from fer_audit.report.view import View
from fer_audit.text import (
    NONE,
    WITHHELD,
    because,
    clipped,
    counted,
    large,
    listed,
    percent,
    whole,
)

N_GROUPS = 12
"""With more groups a table of clusters and groups is left to result.json."""
N_COLUMNS = 5
"""With more groups they are the rows, and the clusters the columns, unless there are as many clusters."""
N_CLUSTERS = 8
"""Clusters in the short report."""
_ONE_LINE = 56
_TITLE = "Who is in each cluster?"


def clusters(view: View) -> Section:
    """Return the sizes, one table for each attribute, how k was found, and a card for each cluster."""
    result, facts = view.result, view.result.clustering
    if facts is None:
        reason = (
            because(result.not_computable)
            if result.not_computable
            else "the images were not embedded, or too few of them"
        )
        return Section("clusters", _TITLE, (Prose(f"No clusters: {reason}."),))
    return Section(
        "clusters",
        _TITLE,
        (*_overview(view, facts), *_tables(view), *_how_found(facts), *_cards(view, facts)),
    )


def _overview(view: View, facts: ClusterFacts) -> list[Block]:
    shown = range(min(facts.k, N_CLUSTERS))
    note = "Groups that a cluster holds more of than chance allows, with their share of it and of the set."
    if view.unstable:
        note += " Unstable clusters do not come back in resamples: read nothing into them."
    table = table_of(
        "The clusters",
        shown,
        left("cluster", lambda x: _name(x, view.unstable), wrap=8),
        right("images", lambda x: whole(facts.sizes[x])),
        left("who is in it more than in the set", lambda x: _telling(view, x), wrap=24),
        importance="summary",
        faint=lambda x: x in view.unstable,
    )
    blocks: list[Block] = [table]
    if facts.k > N_CLUSTERS:
        blocks.append(
            Prose(
                f"... and {counted(facts.k - N_CLUSTERS, 'smaller cluster')}: --section clusters",
                "summary",
            )
        )
        blocks.append(
            replace(
                table,
                title="Smaller clusters",
                rows=_rest(view, facts),
                importance="normal",
                faint=frozenset(),
            )
        )
    return [*blocks, Prose(note, "summary", "small")]


def _rest(view: View, facts: ClusterFacts) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (_name(x, view.unstable), whole(facts.sizes[x]), _telling(view, x))
        for x in range(N_CLUSTERS, facts.k)
    )


def _telling(view: View, cluster: int) -> str:
    """Return who is in a cluster more than in the set, the widest gaps that fit on a line of a terminal."""
    names = [each.words for each in telling(view, cluster)]
    while len(", ".join(names)) > _ONE_LINE and len(names) > 1:
        del names[-1]
    hidden = any(None in row for each in view.result.associations for row in each.table)
    return ", ".join(names) or (WITHHELD if hidden else "nobody in particular")


def _name(cluster: int, unstable: frozenset[int]) -> str:
    return f"{cluster} unstable" if cluster in unstable else f"{cluster}"


def _mark(cell: AssociationCell, alpha: float) -> str:
    """Return whether a group is found more or less often than chance allows."""
    if cell.too_few or cell.residual is None or cell.p_adjusted is None or cell.p_adjusted > alpha:
        return ""
    return "▲" if cell.residual > 0 else "▼" if cell.residual < 0 else ""


def _tables(view: View) -> list[Block]:
    associations = [
        association
        for association in view.result.associations
        if association.kind in ("demographic", "label") and association.table
    ]
    shown = [each for each in associations if len(each.groups) <= N_GROUPS]
    blocks: list[Block] = []
    if shown:
        blocks += [
            Heading("Each attribute in the clusters"),
            Prose(
                "Each share is of the images in that cluster; all is the whole set. ▲ more and ▼ fewer than chance allows"
                f" (Benjamini-Hochberg over the table). A cell marked few has under {TOO_FEW} images and is not judged."
                " Sizes count every file; the tables count one copy of each image, unless all are kept.",
                tone="small",
            ),
        ]
        blocks += [cluster_table(association, view.alpha, view.unstable) for association in shown]
    blocks += [
        Prose(
            f"{spoken(each.attribute)}: {counted(len(each.groups), 'group')}, too many for a table here; all of them are"
            " in result.json."
        )
        for each in associations
        if each not in shown
    ]
    return blocks


def cluster_table(association: Association, alpha: float, unstable: frozenset[int]) -> Table:
    """Return clusters and groups: the clusters are the rows, unless there are too many groups for columns."""
    cells = {(cell.cluster, cell.group): cell for cell in association.cells}
    totals = [_added(row) for row in association.table]
    of_all = _added(totals)
    body = [
        [
            _cell(count, total, cells.get((cluster, group)), alpha)
            for group, count in zip(association.groups, row, strict=True)
        ]
        for cluster, (row, total) in enumerate(zip(association.table, totals, strict=True))
    ]
    sums = [_added(column) for column in zip(*association.table, strict=True)]
    body.append([_cell(count, of_all, None, alpha) for count in sums])
    sides = [f"{_name(at, unstable)} ({whole(total)})" for at, total in enumerate(totals)]
    sides.append(f"all ({whole(of_all)})")
    heads = [clipped(group, 20) for group in association.groups]
    turned = len(heads) > max(N_COLUMNS, len(totals))
    if turned:
        body = [list(column) for column in zip(*body, strict=True)]
        sides, heads = heads, sides
    first = spoken(association.attribute, 20) if turned else "cluster"
    return Table(
        f"{spoken(association.attribute)} in each cluster",
        (Column(first, wrap=10), *(Column(head, right=True, wrap=8) for head in heads)),
        tuple((side, *row) for side, row in zip(sides, body, strict=True)),
        faint=frozenset() if turned else unstable & set(range(len(totals))),
        total=not turned,
    )


def _added(counts: Sequence[int | None]) -> int | None:
    """Return the sum of a line; None when a part of it is withheld."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _cell(count: int | None, total: int | None, cell: AssociationCell | None, alpha: float) -> str:
    if count is None:
        return WITHHELD
    share = count / total if total else None if cell is None else cell.share
    mark = "" if cell is None else "few" if cell.too_few else _mark(cell, alpha)
    return " ".join(filter(None, (whole(count), mark, "" if share is None else percent(share))))


def _how_found(facts: ClusterFacts) -> list[Block]:
    starts = facts.starts
    low, high = starts.inertia_min, starts.inertia_max
    near = (
        f"; {whole(starts.near_best)} of {whole(starts.n)} within 0.1 % of the best"
        if starts.near_best
        else ""
    )
    blocks: list[Block] = [
        Heading("How were the clusters found?"),
        Prose(
            f"Inertia {large(facts.inertia)}. Best of {counted(starts.n, 'start')}: they ended between {large(low)} and"
            f" {large(high)} in the reduced space, {percent((high - low) / low if low else 0.0)} apart{near}."
        ),
    ]
    if facts.votes:
        votes = listed(
            [
                f"{clipped(vote.criterion, 30)} {NONE if vote.k is None else vote.k}"
                for vote in facts.votes
            ]
        )
        blocks.append(Prose(f"k was chosen, not given. Votes: {votes}; the lower median counts."))
    if facts.sweep:
        blocks += [_elbow(facts), Charts(lambda: [elbow(facts)])]
    return blocks


def _elbow(facts: ClusterFacts) -> Table:
    """Return the sweep over k. A bar is what one more cluster saves: the elbow is where the bars turn short."""
    drops = [
        (before.inertia - after.inertia) / before.inertia if before.inertia else 0.0
        for before, after in pairwise(facts.sweep)
    ]
    full = max(drops, default=0.0)
    return table_of(
        "Other k",
        list(zip(facts.sweep, (None, *drops), strict=True)),
        left("k", lambda x: f"{x[0].k} ◀ used" if x[0].k == facts.k else f"{x[0].k}"),
        right("inertia", lambda x: large(x[0].inertia)),
        right(
            "saved by one more cluster", lambda x: "" if x[1] is None else percent(x[1]), wrap=9
        ),
        left("", lambda x: Bar(x[1] or 0.0, full), drop=1),
    )


def _cards(view: View, facts: ClusterFacts) -> list[Block]:
    blocks: list[Block] = [
        Prose(
            "A lift of 2 means twice as often in the cluster as in the whole set. Lines are intervals. Open grey circles"
            f" and grey bars stand for fewer than {TOO_FEW} images: too few to say anything. An arrow at the edge: further"
            " out than the axis. Lifts, tests and mean faces count one copy of each image.",
            "detail",
            "small",
        )
    ]
    if view.pictures is None:
        blocks.append(
            Prose(f"No mean faces: {why_missing(view, 'mean faces')}.", "detail", "small")
        )
    return [
        *blocks,
        *missing_pictures(view, maps=False),
        Cards(lambda: cards(view, facts), "detail"),
    ]
