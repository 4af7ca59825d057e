"""Which row of one run is which row of the other."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.compare import CommonImages, LabelColumn, RunRows

Rows = NDArray[np.intp]
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """The images that both runs have: row first[i] of the one is row second[i] of the other."""

    first: Rows
    second: Rows
    facts: CommonImages


def match_rows(first: RunRows, second: RunRows) -> Matching:
    """Pair the rows of two runs, each row once at most, in the order of the first run.

    Bytes say more than a name: equal names with equal bytes go first, then equal bytes, then equal names.
    So a file that was renamed is found, and one whose name now belongs to another picture is not mistaken for it.
    """
    left, right = list(range(len(first.ids))), list(range(len(second.ids)))
    bytes_a, bytes_b = first.sha256.tolist(), second.sha256.tolist()
    both_a = list(zip(first.ids, bytes_a, strict=True))
    both_b = list(zip(second.ids, bytes_b, strict=True))
    same = _pair(_known(left, both_a, bytes_a), _known(right, both_b, bytes_b))
    left, right = _rest(left, right, same)
    renamed = _pair(_known(left, bytes_a, bytes_a), _known(right, bytes_b, bytes_b))
    left, right = _rest(left, right, renamed)
    named = _pair([(first.ids[i], i) for i in left], [(second.ids[i], i) for i in right])
    changed = sum(bool(bytes_a[i] and bytes_b[j]) for i, j in named)
    pairs = sorted([*same, *renamed, *named])
    table = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    facts = CommonImages(
        first=len(first.ids),
        second=len(second.ids),
        common=len(pairs),
        same=len(same) + len(named) - changed,
        renamed=len(renamed),
        changed=changed,
    )
    return Matching(table[:, 0], table[:, 1], facts)


def shared_codes(
    first: LabelColumn, second: LabelColumn
) -> tuple[tuple[str, ...], NDArray[np.int32], NDArray[np.int32]]:
    """Return the groups of both columns and the codes of both in them, the first column's groups first."""
    groups = tuple(dict.fromkeys((*first.groups, *second.groups)))
    return groups, _recoded(first, groups), _recoded(second, groups)


def _recoded(column: LabelColumn, groups: Sequence[str]) -> NDArray[np.int32]:
    place = {group: index for index, group in enumerate(groups)}
    # A last entry for code -1.
    table = np.array([*(place[group] for group in column.groups), -1], dtype=np.int32)
    return table[column.codes]


def _known(
    rows: Sequence[int], keys: Sequence[Hashable], digests: Sequence[bytes]
) -> Iterable[tuple[Hashable, int]]:
    return [(keys[row], row) for row in rows if digests[row]]


def _pair(
    left: Iterable[tuple[Hashable, int]], right: Iterable[tuple[Hashable, int]]
) -> list[Pair]:
    """Pair rows with equal keys one to one, copies in the order of their rows."""
    waiting: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for key, row in right:
        waiting[key].append(row)
    return [(row, waiting[key].popleft()) for key, row in left if waiting.get(key)]


def _rest(
    left: Sequence[int], right: Sequence[int], pairs: Sequence[Pair]
) -> tuple[list[int], list[int]]:
    used_left, used_right = {i for i, _ in pairs}, {j for _, j in pairs}
    return [i for i in left if i not in used_left], [j for j in right if j not in used_right]
