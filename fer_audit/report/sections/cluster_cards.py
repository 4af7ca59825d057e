"""What a cluster is called, and its card: its mean faces, who is in it, how its pictures were taken.

It is called after the groups that it holds more of than the set does, the widest gap first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.stability import ClusterFacts
from fer_audit.report.blocks import Block, Card, Charts, Column, Facts, Gallery, Picture, Table
from fer_audit.report.charts.cluster_cards import lift_row, lifts, style_profile
from fer_audit.report.files.pictures import MeanFace, webp_size
from fer_audit.report.view import View, is_clear
from fer_audit.text import clipped, coefficient, counted, display, percent, signed, whole

GAIN = 0.05
"""Share of the cluster beyond the set's from which a group names it."""
N_NAMES = 3
MOST = 0.5
TOO_FEW_TO_SAY = "too few to say"
N_TELLING = 5
"""Groups in the table of a card."""
_BIN = re.compile(r"(\d+)(?:-(\d+)|\+)?")
"""A group that is a range of ages: 20-29, 70+, 5."""
_FACE_PIXELS = 88
_KINDS = {
    "nearest": "Nearest to the centre",
    "median": "Half way out",
    "farthest": "Furthest from the centre",
}


class Telling(NamedTuple):
    """Groups of one attribute of which a cluster holds more than the set does."""

    attribute: str
    name: str
    n: int
    """Images of it in the cluster."""
    of: int
    """Images in the cluster."""
    in_set: float
    """Its share of the set, 0 to 1."""

    @property
    def in_cluster(self) -> float:
        """Its share of the cluster, 0 to 1."""
        return self.n / self.of

    @property
    def words(self) -> str:
        """The name with its share of the cluster and of the set: female 85 % (set 48)."""
        return f"{self.name} {100 * self.in_cluster:.0f} % (set {100 * self.in_set:.0f})"


def telling(view: View, cluster: int) -> list[Telling]:
    """Return what tells a cluster from the set: of each attribute one group, or neighbouring ranges of age together."""
    asked = [x for x in view.result.associations if x.kind in ("demographic", "label")]
    found = [told for x in asked if (told := _told(x, cluster, _above(x, cluster, view.alpha)))]
    return _widest(found)[:N_NAMES]


def _widest(found: list[Telling]) -> list[Telling]:
    """Return those whose gap is wide enough, the widest first."""
    found.sort(key=lambda each: each.in_set - each.in_cluster)
    return [each for each in found if each.in_cluster - each.in_set >= GAIN]


def untold(view: View, cluster: int) -> str:
    """Return why a cluster has no name: counts are withheld, the groups that stand out are too few, or none stands out."""
    asked = [x for x in view.result.associations if x.kind in ("demographic", "label")]
    few = (_told(x, cluster, _above(x, cluster, view.alpha, few=True)) for x in asked)
    if found := _widest([told for told in few if told]):
        return f"{TOO_FEW_TO_SAY}; {found[0].name} {whole(found[0].n)} of {whole(found[0].of)}"
    emptied = view.result.min_cell and any(not x.table for x in asked)
    withheld = emptied or any(None in row for x in asked for row in x.table)
    return "withheld" if withheld else "nobody in particular"


def cluster_name(view: View, cluster: int) -> str:
    """Return a cluster's name, "" where no group stands out: mostly female, age 10-29; more Black.

    Groups that are most of it, or else the first that it holds more of than the set does.
    """
    found = telling(view, cluster)
    most = [each.name for each in found if each.in_cluster > MOST]
    if most:
        return f"mostly {', '.join(most)}"
    return f"more {found[0].name}" if found else ""


def cluster_title(view: View, cluster: int) -> str:
    """Return a cluster's name, or why there is none."""
    return cluster_name(view, cluster) or untold(view, cluster)


def _above(x: Association, cluster: int, alpha: float, *, few: bool = False) -> set[str]:
    """Return the groups that a cluster holds more of than chance allows; those with `few` images, or the others."""
    cells = (replace(cell, too_few=not cell.too_few) if few else cell for cell in x.cells)
    return {
        cell.group
        for cell in cells
        if cell.cluster == cluster and is_clear(cell, alpha) and (cell.residual or 0.0) > 0
    }


def _told(association: Association, cluster: int, above: set[str]) -> Telling | None:
    rows = [[count for count in row if count is not None] for row in association.table]
    groups = association.groups
    at = [place for place, group in enumerate(groups) if group in above]
    withheld = any(None in row for row in association.table)
    if withheld or not at or cluster >= len(rows) or not sum(rows[cluster]):
        return None
    totals = [sum(column) for column in zip(*rows, strict=True)]
    inside = [count / sum(rows[cluster]) for count in rows[cluster]]
    outside = [total / sum(totals) for total in totals]
    bins = [bin_ for group in groups if (bin_ := _BIN.fullmatch(group))]
    runs = [[place] for place in at]
    if len(bins) == len(groups):  # neighbouring ranges
        runs = [[x for _, x in run] for _, run in groupby(enumerate(at), lambda x: x[1] - x[0])]
    best = max(runs, key=lambda run: sum(inside[x] - outside[x] for x in run))
    name = clipped(groups[best[0]], 20)
    if len(bins) == len(groups):
        first, last = bins[best[0]], bins[best[-1]]
        is_open = last[0].endswith("+")
        end = f"{first[1]}+" if is_open else f"{first[1]}-{last[2] or last[1]}"
        end = last[0] if is_open and len(best) == 1 else end
        name = f"{clipped(display(association.attribute), 14).removesuffix(' group')} {end}"
    n, of = sum(rows[cluster][x] for x in best), sum(rows[cluster])
    return Telling(association.attribute, name, n, of, sum(outside[x] for x in best))


def cards(view: View, facts: ClusterFacts) -> Sequence[Card]:
    """Return a card for each cluster."""
    return [_card(view, facts, cluster) for cluster in range(facts.k)]


def _card(view: View, facts: ClusterFacts, cluster: int) -> Card:
    known = [size for size in facts.sizes if size is not None]
    size = counted(facts.sizes[cluster], "image")
    if len(known) == len(facts.sizes):  # else their sum is not known
        size += f", {percent(known[cluster] / max(1, sum(known)))} of the set"
    stable = "."
    for each in () if view.result.stability is None else view.result.stability.clusters:
        if each.cluster == cluster:
            back = "comes back" if each.stable else "does not come back"
            warning = "" if each.stable else ": read nothing into it"
            stable = (
                f"; it {back} in resamples{warning} (mean Jaccard {coefficient(each.jaccard)})."
            )
    return Card(
        key=f"cluster-{cluster}",
        title=f"Cluster {cluster}: {cluster_title(view, cluster)}",
        subtitle=size + stable,
        colour=view.palette.cluster(cluster),
        dimmed=cluster in view.unstable,
        blocks=tuple(_blocks(view, facts, cluster)),
    )


def _blocks(view: View, facts: ClusterFacts, cluster: int) -> Iterator[Block]:
    if faces := [face_picture(x) for x in view.faces if x.cluster == cluster]:
        note = (
            "Averages of at least 30 images of the cluster, and of each group in it that has and leaves as many. They show"
            " what the pictures share, light and framing included. Images are not people: if they are of a few, these can be"
            " recognised."
        )
        yield Gallery("Mean faces", tuple(faces), note)
    of_lifts = lifts(cluster, view.result.associations, view.palette)
    yield Charts(
        lambda: [of_lifts, style_profile(cluster, view.result.cluster_styles, view.palette)]
    )
    cells = [
        (each.attribute, cell)
        for each in view.result.associations
        if each.kind in ("demographic", "label")
        for cell in each.cells
        if cell.cluster == cluster and cell.residual is not None and is_clear(cell, view.alpha)
    ]
    if cells:
        cells.sort(key=lambda pair: -abs(pair[1].residual or 0.0))
        rows = tuple(
            (*lift_row(attribute, cell)[:4], signed(cell.residual or 0.0))
            for attribute, cell in cells[:N_TELLING]
        )
        heads = (("images", 0), ("of the cluster", 7), ("lift (interval)", 8), ("residual", 0))
        numbers = (Column(title, right=True, wrap=wrap) for title, wrap in heads)
        yield Table("The most telling groups", (Column("group", wrap=16), *numbers), rows)
    for sheet in () if view.pictures is None else view.pictures.sheets:
        if sheet.cluster == cluster:
            kind, faces_on_it = _KINDS[sheet.kind], counted(sheet.n, "face")
            alt = f"Contact sheet: {faces_on_it} of cluster {cluster}, {kind.lower()}"
            size = webp_size(sheet.webp)
            note = "Faces are personal data: think before you pass this page on."
            note += " They are blurred." if sheet.blurred else ""
            yield Gallery(
                kind, (Picture("image/webp", sheet.webp, alt, faces_on_it, *size),), note
            )
    ends = (("nearest to the centre", facts.nearest), ("farthest from it", facts.farthest))
    pairs = [
        (name, ", ".join(clipped(each, 60) for each in found[cluster]))
        for name, found in ends
        if cluster < len(found) and found[cluster]
    ]
    if pairs:
        yield Facts(tuple(pairs), "detail")


def face_picture(face: MeanFace) -> Picture:
    """Return a mean face with how many images it is of."""
    of = "" if face.group is None else f", {face.attribute} {face.group}"
    part = whole(face.n) if face.drawn == face.n else f"{whole(face.drawn)} of {whole(face.n)}"
    alt = f"Mean face of cluster {face.cluster}{of}"
    caption = f"{'all' if face.group is None else face.group} ({part})"
    return Picture("image/webp", face.webp, alt, caption, _FACE_PIXELS, _FACE_PIXELS)
