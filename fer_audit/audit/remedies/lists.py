"""The files behind the findings: which to correct, to drop, to look at. One row in `LISTS` makes a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.composition.dataset_facts import why_failed
from fer_audit.audit.composition.duplicates import YEARS, conflicting_groups, label_columns
from fer_audit.audit.composition.intersections import LISTED_CELLS
from fer_audit.audit.composition.split_leakage import crossings
from fer_audit.audit.inputs import AuditInputs, group_members
from fer_audit.audit.remedies.suspects import find_suspects, group_rows, suspect_rows
from fer_audit.audit.types import lists as names
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.pack.types import STYLE_NAMES

Row: TypeAlias = tuple[str, ...]
Table: TypeAlias = tuple[Sequence[str], list[Row]]
"""The columns of a list and its rows."""
FAR = 3.0
"""Standard deviations beyond the mean distance of its cluster from which an image is an outlier."""


@dataclass(frozen=True, slots=True)
class FileList:
    """One list: a CSV, or where its name ends in .txt one id a line."""

    path: str
    """In a run directory."""
    about: str
    """What it holds, as `fer-audit lists` says it."""
    table: Callable[[AuditInputs], Table]
    """Its rows; one without a row is not written."""


def _split_leaks(inputs: AuditInputs) -> Table:
    """Return one row an image that its split shares: group by group, with its part and the split's name."""
    dataset = inputs.dataset
    rows: list[Row] = [
        (
            found.kind,
            found.names[group],
            dataset.ids[row],
            found.split.categories[found.split.codes[row]],
            found.split.name,
        )
        for found in crossings(dataset, inputs.rows, inputs.near_groups)
        for row, group in zip(found.rows.tolist(), found.owner.tolist(), strict=True)
    ]
    return ("kind", "group", "id", "split", "attribute"), rows


def _near_duplicates(inputs: AuditInputs) -> Table:
    """Return one row an image of a group of near-identical ones; one not compared is a byte-identical copy of another."""
    groups = inputs.near_groups
    if groups is None:
        return (), []
    known = np.flatnonzero(groups >= 0)
    known = known[np.argsort(groups[known], kind="stable")]
    copies = ~np.isin(known, inputs.comparable)
    rows: list[Row] = [
        (str(groups[row]), inputs.dataset.ids[row], "copy" if copy else "compared")
        for row, copy in zip(known.tolist(), copies.tolist(), strict=True)
    ]
    return ("group", "id", "role"), rows


def _conflicts(inputs: AuditInputs) -> Table:
    """Return one row an image of a group whose labels contradict each other, with its labels: copies first, worst first.

    `emptied` names the labels that contradict each other: whichever image of the group is kept, they are not known.
    """
    dataset = inputs.dataset
    columns = label_columns(dataset)
    words = {each.name: each.categories for each in dataset.attributes}
    rows: list[Row] = []
    for kind, (members, owner), years in _photos(inputs):
        starts = np.searchsorted(owner, np.arange(int(owner.max(initial=-1)) + 2))
        for number, group in enumerate(conflicting_groups(dataset, members, owner, years=years)):
            alike = members[starts[group] : starts[group + 1]]
            emptied = [
                name
                for name, values in columns
                if _contradict(values[alike], years if values is dataset.ages else 0)
            ]
            rows += [
                (
                    kind,
                    str(number),
                    dataset.ids[row],
                    *(_label(words.get(name), int(values[row])) for name, values in columns),
                    " ".join(emptied),
                )
                for row in alike.tolist()
            ]
    return ("kind", "group", "id", *(name for name, _ in columns), "emptied"), rows


def _contradict(values: NDArray[np.int16], gap: int) -> bool:
    """Whether the labels of one photo differ by more than nothing, and by at least `gap`."""
    known = values[values >= 0]
    return bool(len(known) and np.ptp(known) >= max(gap, 1))


def _photos(
    inputs: AuditInputs,
) -> Iterator[tuple[str, tuple[NDArray[np.intp], NDArray[np.intp]], int]]:
    """Yield byte-identical files, then near-identical ones: (kind, (rows, group of each), years by which ages may differ)."""
    rows = inputs.rows
    yield "copy", group_members(rows.sha256, rows.ok & (rows.sha256 != b"")), 1
    if inputs.near_groups is not None:
        near = inputs.near_groups
        compared = np.zeros(len(near), np.bool_)
        compared[inputs.comparable] = True
        yield "near-copy", group_members(near, compared & (near >= 0)), YEARS


def _label(words: Sequence[str] | None, code: int) -> str:
    if code < 0:
        return ""
    return str(code) if words is None else words[code]


def _unreadable(inputs: AuditInputs) -> Table:
    failed = np.flatnonzero(~inputs.usable).tolist()
    found: list[Row] = [
        (inputs.dataset.ids[row], why_failed(row, inputs.rows, inputs.embeddings))
        for row in failed
    ]
    return ("id", "reason"), found


def _odd(inputs: AuditInputs) -> Table:
    flagged = np.flatnonzero(inputs.rows.ok & (inputs.rows.flags != "")).tolist()
    return ("id", "flag"), [
        (inputs.dataset.ids[row], str(inputs.rows.flags[row])) for row in flagged
    ]


def _outliers(inputs: AuditInputs) -> Table:
    """Return the images unusually far from the centre of their cluster, the farthest first."""
    clustering = inputs.clustering
    if clustering is None:
        return (), []
    found: list[tuple[float, int, int]] = []
    for cluster in range(clustering.k):
        rows = np.flatnonzero(clustering.labels == cluster)
        distances = clustering.distances[rows].astype(np.float64)
        if len(rows) < TOO_FEW or not (spread := float(distances.std())):
            continue
        scores = (distances - distances.mean()) / spread
        far = scores >= FAR
        found += [
            (-float(score), cluster, int(row))
            for score, row in zip(scores[far], rows[far], strict=True)
        ]
    ids = inputs.dataset.ids
    rows_out: list[Row] = [
        (str(cluster), ids[row], f"{-score:.2f}")
        for score, cluster, row in sorted(found, key=lambda x: (x[1], x[0], x[2]))
    ]
    return ("cluster", "id", "standard_deviations"), rows_out


def _thin_groups(inputs: AuditInputs) -> Table:
    """Return the intersections of the demographic attributes under 30 images, with how many are missing."""
    crossed = inputs.crossed
    if len(crossed) < 2:
        return (), []
    shape = tuple(len(each.categories) for each in crossed)
    if np.prod(shape, dtype=np.float64) > LISTED_CELLS:
        return (), []
    codes = np.stack([each.codes for each in crossed])
    known = (codes >= 0).all(axis=0)
    counts = np.bincount(
        np.ravel_multi_index(tuple(codes[:, known].astype(np.int64)), shape),
        minlength=int(np.prod(shape)),
    )
    rows: list[Row] = [
        (
            *(
                each.categories[at]
                for each, at in zip(crossed, np.unravel_index(cell, shape), strict=True)
            ),
            str(counts[cell]),
            str(TOO_FEW - int(counts[cell])),
        )
        for cell in np.lexsort((np.arange(len(counts)), counts)).tolist()
        if counts[cell] < TOO_FEW
    ]
    return (*(each.name for each in crossed), "images", "missing"), rows


def _suspects(inputs: AuditInputs) -> Table:
    columns = (
        *("attribute", "id", "given", "suggested", "p_given", "p_suggested"),
        *("probe_recall_given", "probe_recall_suggested"),
    )
    return columns, suspect_rows(inputs.once(find_suspects), inputs.dataset.ids)


def _suspect_groups(inputs: AuditInputs) -> Table:
    columns = (
        *("attribute", "by", "group", "images", "flagged", "rate", "low", "high"),
        "probe_recall",
    )
    return columns, group_rows(inputs.once(find_suspects), inputs)


def _drop(inputs: AuditInputs) -> Table:
    """Return the copies and near-copies that are not kept of each photo."""
    dropped = ~_kept(inputs) & inputs.rows.ok
    return ("id",), [(inputs.dataset.ids[row],) for row in np.flatnonzero(dropped).tolist()]


def _drop_copies(inputs: AuditInputs) -> Table:
    """Return the byte-identical copies that are not kept of each photo."""
    dropped = ~_kept(inputs, with_near=False) & inputs.rows.ok
    return ("id",), [(inputs.dataset.ids[row],) for row in np.flatnonzero(dropped).tolist()]


def _keep(inputs: AuditInputs) -> Table:
    kept = _kept(inputs)
    if (kept | ~inputs.rows.ok).all():
        return ("id",), []  # nothing is dropped
    return ("id",), [(inputs.dataset.ids[row],) for row in np.flatnonzero(kept).tolist()]


def _kept(inputs: AuditInputs, *, with_near: bool = True) -> NDArray[np.bool_]:
    """Return (n,) one image of each photo: most labels, then the largest file, then the smallest sha256, then the id.

    Images of one named person are kept: they are frames, not copies.
    """
    rows, dataset = inputs.rows, inputs.dataset
    kept = rows.ok.copy()
    labels = sum(
        (values >= 0).astype(np.int64) for _, values in label_columns(dataset)
    ) + np.zeros(len(dataset), np.int64)
    per_pixel = rows.style[:, STYLE_NAMES.index("bytes_per_pixel")].astype(np.float64)
    size = np.rint(per_pixel * rows.widths * rows.heights)
    photos = [group_members(rows.sha256, rows.ok & (rows.sha256 != b""))]
    if with_near and (near := inputs.near_groups) is not None and not inputs.units.person:
        photos.append(group_members(near, near >= 0))  # copies of a near-identical image too
    for members, owner in photos:
        living = kept[members]
        members, owner = members[living], owner[living]
        order = np.lexsort(
            (members, rows.sha256[members], -size[members], -labels[members], owner)
        )
        later = np.ones(len(order), np.bool_)
        later[np.unique(owner[order], return_index=True)[1]] = False
        kept[members[order][later]] = False
    return kept


LISTS = (
    FileList(
        names.CONFLICTS,
        "copies and near-copies whose labels contradict each other, worst first",
        _conflicts,
    ),
    FileList(names.NEAR_DUPLICATES, "groups of near-identical photos", _near_duplicates),
    FileList(names.SPLIT_LEAKS, "images that the parts of a split share", _split_leaks),
    FileList(names.UNREADABLE, "files that could not be read, with the reason", _unreadable),
    FileList(names.ODD, "files with something odd about them", _odd),
    FileList(names.OUTLIERS, "images unusually far from the centre of their cluster", _outliers),
    FileList(
        names.THIN_GROUPS, f"combinations of groups with fewer than {TOO_FEW} images", _thin_groups
    ),
    FileList(
        names.SUSPECTS,
        "labels that a held-out linear probe of the embedding contradicts, worst first; "
        "it also flags its own errors: see its recall",
        _suspects,
    ),
    FileList(
        names.SUSPECT_GROUPS,
        "how often labels are flagged by group, and how well the probe sees that group",
        _suspect_groups,
    ),
    FileList(names.DROP_COPIES, "exact copies to leave out, one id a line", _drop_copies),
    FileList(names.DROP, "exact and nearly exact copies to leave out, one id a line", _drop),
    FileList(names.KEEP, "every other image that could be read, one id a line", _keep),
)
"""Every list of a run, in the order in which they are shown."""
