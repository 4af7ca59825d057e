"""The clusters: who is in each (the table of the origin paper, for any attribute), how they were found, and the map."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import fer_audit.text as t
from fer_audit.audit.types.claims import Association, AssociationCell
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.stability import ClusterFacts
from fer_audit.report import blocks as b
from fer_audit.report.charts import map as drawn
from fer_audit.report.charts.stability import elbow
from fer_audit.report.files.pictures import MapPoints
from fer_audit.report.sections.cluster_cards import TOO_FEW_TO_SAY, cards, telling, untold
from fer_audit.report.sections.values import left, right, section, small, spoken, table_of
from fer_audit.report.view import View, is_clear

N_GROUPS = 12
"""With more groups a table of clusters and groups is left to result.json."""
N_COLUMNS = 5
"""With more groups they are the rows, and the clusters the columns, unless there are as many clusters."""
_TOO_MANY = re.compile(r"it has \d+ groups, more than (\d+) colours")
N_CLUSTERS = 8
"""Clusters in the short report."""
_ONE_LINE = 56
_MAP_PIXELS = 320


@section("clusters", "Who is in each cluster?")
def clusters(view: View) -> Iterator[b.Block]:
    """Return the sizes, one table for each attribute, how k was found, and a card for each cluster."""
    facts = view.result.clustering
    if facts is None:
        why = view.result.not_computable
        reason = t.because(why) if why else "the images were not embedded, or too few of them"
        yield b.Prose(f"No clusters: {reason}.")
        return
    yield _overview(view, facts, "The clusters", range(min(facts.k, N_CLUSTERS)), "summary")
    if facts.k > N_CLUSTERS:
        more = t.counted(facts.k - N_CLUSTERS, "smaller cluster")
        yield b.Prose(f"... and {more}: --section clusters", "summary")
        yield _overview(view, facts, "Smaller clusters", range(N_CLUSTERS, facts.k), "normal")
    note = (
        "Groups that a cluster holds more of than chance allows, the largest of each attribute, with their share of it and"
        " of the set."
    )
    if any(
        untold(view, x).startswith(TOO_FEW_TO_SAY) for x in range(facts.k) if not telling(view, x)
    ):
        note += f" Too few: under {TOO_FEW} images."
    if view.unstable:
        note += " Unstable clusters do not come back in resamples: read nothing into them."
    yield b.Prose(note, "summary", "small")
    yield from _tables(view)
    yield from _how_found(facts)
    yield b.Prose(
        "A lift of 2 means twice as often in the cluster as in the whole set. Lines are intervals. Open grey circles"
        f" and grey bars stand for fewer than {TOO_FEW} images: too few to say anything. An arrow at the edge: further"
        " out than the axis. Lifts, tests and mean faces count one copy of each image.",
        "detail",
        "small",
    )
    if view.pictures is None:
        yield b.Prose(f"No mean faces: {_why_missing(view, 'mean faces')}.", "detail", "small")
    yield from _missing_pictures(view, maps=False)
    yield b.Cards(lambda: cards(view, facts), "detail")


def _overview(
    view: View, facts: ClusterFacts, title: str, shown: range, importance: b.Importance
) -> b.Table:
    return table_of(
        title,
        shown,
        left("cluster", lambda x: _name(x, view.unstable), wrap=8),
        right("images", lambda x: t.whole(facts.sizes[x])),
        left("who is in it more than in the set", lambda x: _telling(view, x), wrap=24),
        importance=importance,
        faint=lambda x: x in view.unstable and importance == "summary",
    )


def _telling(view: View, cluster: int) -> str:
    """Return who is in a cluster more than in the set, the widest gaps that fit on a line of a terminal."""
    names = [each.words for each in telling(view, cluster)]
    while len(", ".join(names)) > _ONE_LINE and len(names) > 1:
        del names[-1]
    return ", ".join(names) or untold(view, cluster)


def _name(cluster: int, unstable: frozenset[int]) -> str:
    return f"{cluster} unstable" if cluster in unstable else f"{cluster}"


def _tables(view: View) -> Iterator[b.Block]:
    kinds = ("demographic", "label")
    found = [each for each in view.result.associations if each.kind in kinds and each.table]
    shown = [each for each in found if len(each.groups) <= N_GROUPS]
    if shown:
        yield b.Heading("Each attribute in the clusters")
        yield small(
            "Each share is of the images in that cluster; all is the whole set. ▲ more and ▼ fewer than chance allows"
            f" (Benjamini-Hochberg over the table). A cell marked few has under {TOO_FEW} images and is not judged."
            " Sizes count every file; the tables count one copy of each image, unless all are kept."
        )
        yield from (cluster_table(each, view.alpha, view.unstable) for each in shown)
    for each in found:
        if each not in shown:
            many = t.counted(len(each.groups), "group")
            too_many = "too many for a table here; all of them are in result.json."
            yield b.Prose(f"{spoken(each.attribute)}: {many}, {too_many}")


def cluster_table(association: Association, alpha: float, unstable: frozenset[int]) -> b.Table:
    """Return clusters and groups: the clusters are the rows, unless there are too many groups for columns."""
    cells = {(cell.cluster, cell.group): cell for cell in association.cells}
    groups, table = association.groups, association.table
    totals = [_added(row) for row in table]
    of_all = _added(totals)
    body = [
        [_cell(n, total, cells.get((at, x)), alpha) for x, n in zip(groups, row, strict=True)]
        for at, (row, total) in enumerate(zip(table, totals, strict=True))
    ]
    body.append([_cell(_added(x), of_all, None, alpha) for x in zip(*table, strict=True)])
    sides = [f"{_name(at, unstable)} ({t.whole(total)})" for at, total in enumerate(totals)]
    sides.append(f"all ({t.whole(of_all)})")
    heads = [t.clipped(group, 20) for group in groups]
    turned = len(heads) > max(N_COLUMNS, len(totals))
    if turned:
        body = [list(column) for column in zip(*body, strict=True)]
        sides, heads = heads, sides
    first = spoken(association.attribute, 20) if turned else "cluster"
    return b.Table(
        f"{spoken(association.attribute)} in each cluster",
        (b.Column(first, wrap=10), *(b.Column(head, right=True, wrap=8) for head in heads)),
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
        return t.WITHHELD
    share = count / total if total else None if cell is None else cell.share
    mark = "few" if cell is not None and cell.too_few else ""
    if cell is not None and cell.residual and is_clear(cell, alpha):
        mark = "▲" if cell.residual > 0 else "▼"
    return " ".join(
        filter(None, (t.whole(count), mark, "" if share is None else t.percent(share)))
    )


def _how_found(facts: ClusterFacts) -> Iterator[b.Block]:
    starts = facts.starts
    low, high = starts.inertia_min, starts.inertia_max
    near = f"; {t.whole(starts.near_best)} of {t.whole(starts.n)} within 0.1 % of the best"
    yield b.Heading("How were the clusters found?")
    yield b.Prose(
        f"Inertia {t.large(facts.inertia)}. Best of {t.counted(starts.n, 'start')}: they ended between {t.large(low)} and"
        f" {t.large(high)} in the reduced space, {t.percent((high - low) / low if low else 0.0)} apart"
        f"{near if starts.near_best else ''}."
    )
    if facts.votes:
        votes = [
            f"{t.clipped(x.criterion, 30)} {t.NONE if x.k is None else x.k}" for x in facts.votes
        ]
        yield b.Prose(
            f"k was chosen, not given. Votes: {t.listed(votes)}; the lower median counts."
        )
    if facts.sweep:
        yield _elbow(facts)
        yield b.Charts(lambda: [elbow(facts)])


def _elbow(facts: ClusterFacts) -> b.Table:
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
        right("inertia", lambda x: t.large(x[0].inertia)),
        right(
            "saved by one more cluster", lambda x: "" if x[1] is None else t.percent(x[1]), wrap=9
        ),
        left("", lambda x: b.Bar(x[1] or 0.0, full), drop=1),
    )


@section("map", "The map of all images")
def the_map(view: View) -> Iterator[b.Block]:
    """Return the points in every colouring, or why there is no map."""
    points = None if view.pictures is None else view.pictures.map
    if points is None:
        yield b.Prose(f"No map: {_why_missing(view, 'map')}.", "detail")
        return
    shown = f"a random {t.whole(points.shown)} of {t.counted(points.n, 'image')}"
    if points.shown == points.n:
        shown = f"all {t.whole(points.shown)} images that were embedded"
    yield b.Prose(
        f"Each point is an image: {shown}, {_how_laid_out(view, points)}. The points lie in the same places in every"
        " panel; only the colour changes. They are drawn in one shuffled order, so that no group covers another.",
        "detail",
        "lead",
    )
    yield b.Maps(lambda: list(_panels(view, points)), "detail")
    yield from _missing_pictures(view, maps=True)


def _why_missing(view: View, what: str) -> str:
    if view.pictures is None:
        return "the run directory holds no pictures; run the same command again to make them"
    return dict(view.pictures.missing).get(what, "there is nothing to show")


def _missing_pictures(view: View, *, maps: bool) -> Iterator[b.Block]:
    """Return the reasons of pictures that were not made, of maps or of all others."""
    for what, reason in () if view.pictures is None else view.pictures.missing:
        if what.startswith("map") == maps:
            yield b.Prose(f"No {_missing_words(view, what, reason)}.", "detail", "small")


def _missing_words(view: View, what: str, reason: str) -> str:
    """Write an attribute without a map by its name in words, and of its groups those that have images."""
    name = what.removeprefix("map by ")
    about = next((x for x in view.result.representation if x.attribute == name), None)
    if about is None or name == what:
        return f"{what}: {reason}"
    present, found = sum(group.count != 0 for group in about.groups), _TOO_MANY.fullmatch(reason)
    if found and present > int(found[1]):
        reason = f"it has {t.whole(present)} groups, more than {found[1]} colours"
    return f"map by {spoken(name)}: {reason}"


def _panels(view: View, points: MapPoints) -> Iterator[b.MapPanel]:
    height = round(_MAP_PIXELS * drawn.map_aspect(points))
    for colouring in points.colourings:
        chart = drawn.map_chart(points, colouring, view.palette, view.result)
        colours = drawn.colours_of(colouring, view.palette)
        names = list(zip(colours, colouring.groups, strict=True))
        legend = [names[place] for place in drawn.legend_places(len(names))]
        if len(legend) < len(names):
            legend.append(("transparent", f"{len(names)} in all, in this order"))
        data = drawn.map_png(points, colouring, view.palette)
        picture = b.Picture("image/png", data, chart.alt, "", _MAP_PIXELS, height)
        yield b.MapPanel(chart, picture, tuple(legend))


def _how_laid_out(view: View, points: MapPoints) -> str:
    if points.method == "umap":
        return (
            "laid out by UMAP on the principal coordinates: neighbours stay together, but distances between"
            " far groups and the sizes of gaps mean nothing"
        )
    words = "laid out by the first two principal components"
    axes = view.result.principal_axes
    if axes is not None and len(axes.shares) > 1:
        first, second = axes.shares[:2]
        words += f", which hold {t.percent(first)} and {t.percent(second)} of the variance; what separates groups can lie in the"
        words += f" other {t.percent(1 - first - second)}"
    return words
