"""What the analyses read: the dataset, its images, its clusters and the settings."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.stats.tables import Counts, Labels, Mask, Places, Singles
from fer_audit.audit.stats.units import Blocks
from fer_audit.audit.types.copies import NearPairs
from fer_audit.audit.types.result import AuditResult, PlantedCheck
from fer_audit.audit.units import NearGroups, Units, near_groups, units_of
from fer_audit.classify.types import Predictions
from fer_audit.cluster.types import Clustering, Study
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.embed.types import Embeddings
from fer_audit.pack.types import PackRows

_T = TypeVar("_T")
NEAR_GROUP = "near-identical group"
"""What is exchanged where images, not people, are known, and some are nearly the same."""


@dataclass(frozen=True, slots=True)
class ExtraPartitions:
    """Partitions other than the reported one, each made when it is first asked for."""

    style_labels: Callable[[], Labels | None] = lambda: None
    """(n,) clusters made from the style measures alone, -1 where not ok; None = there are none."""
    replays: Callable[[], tuple[Study, ...]] = tuple
    """Small random samples, each clustered on its own."""
    reclusters: Callable[[], tuple[Study, ...]] = tuple
    """Bootstrap resamples, each clustered on its own."""
    near_pairs: Callable[[], NearPairs | None] = lambda: None
    """Pairs of images that may be one photo; None = nothing was compared."""
    clusters_of: Callable[[Singles], Labels] | None = None
    """(m, d) coordinates -> the (m,) cluster of each, as many clusters as the run's; None = nothing is clustered."""


@dataclass(frozen=True, eq=False, kw_only=True)
class AuditInputs:
    """Everything an audit is made from. Row i of every array is image i."""

    dataset: FaceDataset
    rows: PackRows
    embeddings: Embeddings | None = None
    clustering: Clustering | None = None
    predictions: tuple[Predictions, ...] = ()
    """What FER models, or somebody's table, say of every image."""
    config: AuditConfig
    extra: ExtraPartitions = ExtraPartitions()
    not_clustered: str = ""
    """Why there are no clusters, where nothing is missing otherwise."""
    versions: tuple[tuple[str, str], ...] = ()
    planted: Callable[[AuditResult], tuple[PlantedCheck, ...]] = lambda _: ()
    """What was planted in a drawn set, and whether a result says so."""
    _memory: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def usable(self) -> Mask:
        """(n,) decoded, embedded and in a cluster, as far as the run went."""
        return usable_rows(self.rows, self.embeddings, self.clustering)

    @cached_property
    def tested(self) -> Mask:
        """(n,) usable; one of each image, and of each group of near-identical ones unless the set says who is on them.

        People are exchanged then. All are there where copies are kept.
        """
        once, groups = self._first_copies(self.usable), self.near_groups
        if groups is None or self.config.statistics.keep_duplicates or self.units.person:
            return once
        rows = np.flatnonzero(once & (groups >= 0))
        later = np.ones(len(rows), dtype=np.bool_)
        later[np.unique(groups[rows], return_index=True)[1]] = False
        once = once.copy()
        once[rows[later]] = False
        return once

    @cached_property
    def near(self) -> NearGroups | None:
        """Groups of near-identical images; None = nothing was compared."""
        return near_groups(self.extra.near_pairs(), self.rows)

    @property
    def near_groups(self) -> Counts | None:
        """(n,) group of each image, -1 for none; None = nothing was compared."""
        return None if self.near is None else self.near.groups

    @cached_property
    def comparable(self) -> Places:
        """Ascending rows with a vector, one copy of each image: those among which near-identical ones are looked for."""
        return comparable(self.rows, self.embeddings)

    @cached_property
    def listed_once(self) -> Mask:
        """(n,) every row but later copies; what needs no pixels is tested on these."""
        return self._first_copies(np.ones(len(self.dataset), dtype=np.bool_))

    def _first_copies(self, among: Mask) -> Mask:
        if self.config.statistics.keep_duplicates:
            return among
        return first_copies(self.rows.sha256, among)

    @property
    def compared(self) -> tuple[Attribute, ...]:
        """The columns whose groups are compared, as the files say."""
        return compared(self.dataset)

    @cached_property
    def units(self) -> Units:
        """What may be exchanged, and what another collection would draw."""
        return units_of(self.dataset)

    @cached_property
    def exchanged(self) -> Counts:
        """(n,) number of what may be exchanged: the person on each image, else its near-identical group, else the photo."""
        n, sha256 = len(self.dataset), self.rows.sha256
        if self.units.person is not None:
            return self.units.people(n)
        photos = np.unique(sha256, return_inverse=True)[1].astype(np.int64)
        photos = np.where(sha256 == b"", n + np.arange(n), photos)
        near = self.near_groups
        return photos if near is None else np.where(near >= 0, 2 * n + near, photos)

    def unit_of(self, blocks: Blocks | None) -> str:
        """Return the name of what is exchanged: a subject attribute, `NEAR_GROUP` or "image"."""
        if blocks is None:
            return "image"
        return NEAR_GROUP if self.units.person is None else self.units.person.name

    @cached_property
    def for_tests(self) -> tuple[Attribute, ...]:
        """The columns whose groups are compared; copies and near-identical images that disagree in one count as not annotated.

        Which copy comes first in file order says nothing, and file names can hold the label.
        """
        if self.config.statistics.keep_duplicates:
            return self.compared
        groups = [group_members(self.rows.sha256, self.rows.ok & (self.rows.sha256 != b""))]
        if self.near_groups is not None and self.units.person is None:
            groups.append(group_members(self.near_groups, self.near_groups >= 0))
        found = []
        for each in self.compared:
            codes = each.codes
            for rows, owner in groups if each.kind in ("demographic", "label") else ():
                codes = without_contradicted(codes, rows, owner)
            found.append(replace(each, codes=codes))
        return tuple(found)

    @cached_property
    def predicted(self) -> tuple[Attribute, ...]:
        """The predictions as label columns, named after who made them; the order is theirs."""
        makers = [each.by.name for each in self.predictions]
        taken = {each.name for each in self.dataset.attributes}
        found = []
        for each in self.predictions:
            name = each.by.name
            if makers.count(name) > 1:
                name = f"{name} {each.about}"
            name = f"{name} predicted" if name in taken else name
            found.append(Attribute(name, each.classes, each.codes, "label", "predicted"))
        return tuple(found)

    @property
    def people(self) -> tuple[Attribute, ...]:
        """Those of `for_tests` about people."""
        return tuple(each for each in self.for_tests if each.kind == "demographic")

    @cached_property
    def crossed(self) -> tuple[Attribute, ...]:
        """The columns about people, as the files say, but those that a map made of another: what follows from it is not crossed with it."""
        return tuple(x for x in self.compared if x.kind == "demographic" and not x.mapped_from)

    @cached_property
    def reference(self) -> Mapping[str, Mapping[str, int]]:
        """Counts of a larger set: attribute -> group -> images."""
        return {name: dict(counts) for name, counts in self.config.statistics.reference}

    def once(self, make: Callable[[AuditInputs], _T]) -> _T:
        """Return what a function makes of these inputs; it is called once."""
        if make not in self._memory:
            self._memory[make] = make(self)
        made: _T = self._memory[make]
        return made

    def digest(self, name: str) -> str:
        """Return the sha256 of an input, by its dotted name; what lies inside a missing one is missing too."""
        if name not in self._memory:
            value: Any = self
            for step in name.split("."):
                value = None if value is None else getattr(value, step)
            self._memory[name] = digest(value)
        return str(self._memory[name])

    def digest_of(self, subject: Hashable) -> str:
        """Return the sha256 of a label column or a question, computed once."""
        if subject not in self._memory:
            self._memory[subject] = digest(subject)
        return str(self._memory[subject])


def compared(dataset: FaceDataset) -> tuple[Attribute, ...]:
    """Return the columns whose groups are compared: all but those that name the person shown."""
    return tuple(each for each in dataset.attributes if each.kind != "subject")


def usable_rows(
    rows: PackRows, embeddings: Embeddings | None, clustering: Clustering | None
) -> Mask:
    """Return the (n,) mask of images that came through every stage that was run."""
    usable = rows.ok.copy()
    if embeddings is not None:
        usable &= embeddings.ok
    if clustering is not None:
        usable &= clustering.labels >= 0
    return usable


def comparable(rows: PackRows, embeddings: Embeddings | None) -> Places:
    """Return the ascending rows with a vector, one copy of each image; none where nothing was embedded."""
    if embeddings is None:
        return np.empty(0, np.intp)
    return np.flatnonzero(first_copies(rows.sha256, rows.ok & embeddings.ok))


def first_copies(sha256: NDArray[np.bytes_], among: Mask) -> Mask:
    """Return the (n,) mask of rows in `among` that are the first there with their bytes.

    A row whose file could not be read (b"") is nobody's copy.
    """
    first = among.copy()
    candidates = np.flatnonzero(among & (sha256 != b""))
    _, where = np.unique(sha256[candidates], return_index=True)
    later = np.ones(len(candidates), dtype=np.bool_)
    later[where] = False
    first[candidates[later]] = False
    return first


def group_members(values: NDArray[np.generic], among: Mask) -> tuple[Places, Places]:
    """Return the rows in `among` that share their value with another, group by group, and the group of each.

    Groups come in the order of their first row, rows in file order. `values` is (n,): bytes' sha256, or codes.
    """
    candidates = np.flatnonzero(among)
    _, first, owner, sizes = np.unique(
        values[candidates], return_index=True, return_inverse=True, return_counts=True
    )
    shared = sizes[owner] > 1
    rows, leader = candidates[shared], first[owner[shared]]
    order = np.argsort(leader, kind="stable")
    _, compact = np.unique(leader[order], return_inverse=True)
    return rows[order], compact


def contradicted(codes: NDArray[np.int16], owner: Places) -> Mask:
    """Return (groups,) whether two annotated codes of a group differ; a missing one contradicts nobody."""
    n_groups = int(owner.max()) + 1 if len(owner) else 0
    known = codes >= 0
    low = np.full(n_groups, np.iinfo(np.int16).max, dtype=np.int16)
    high = np.full(n_groups, -1, dtype=np.int16)
    np.minimum.at(low, owner[known], codes[known])
    np.maximum.at(high, owner[known], codes[known])
    return high > low


def without_contradicted(
    codes: NDArray[np.int16], rows: Places, owner: Places
) -> NDArray[np.int16]:
    """Return the (n,) codes, -1 on rows of a group of copies that disagree; `owner` is the group of each of `rows`."""
    found = codes.copy()
    found[rows[contradicted(codes[rows], owner)[owner]]] = -1
    return found


def digest(value: object) -> str:
    """Return the sha256 of an array, a record, a tuple of such or a plain value."""
    # a mapped array is an array: whether it was just made or lies in the cache changes nothing
    kind = np.ndarray if isinstance(value, np.ndarray) else type(value)
    content = hashlib.sha256(kind.__name__.encode())
    if isinstance(value, np.ndarray):
        content.update(f"{value.dtype.str}{value.shape}".encode())
        if value.size:
            content.update(np.ascontiguousarray(value).view(np.uint8).data)
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            content.update(digest(getattr(value, each.name)).encode())
    elif isinstance(value, tuple):
        for item in value:
            content.update(digest(item).encode())
    else:
        content.update(repr(value).encode("utf-8", "backslashreplace"))
    return content.hexdigest()
