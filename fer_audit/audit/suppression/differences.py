"""Totals that must not be told beside wider ones of the same groups: their difference is a small count as well.

A group is counted over all images, over those that were clustered, and over those that are annotated in every attribute. Where
two such counts are told, so is how many images of the group are in the one and not in the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

Population = Mapping[str, int]
"""Counts by name that add up to a number which is told."""


def telling(
    wide: Population, narrow: Population, hidden: Set[str], min_cell: int
) -> frozenset[str] | None:
    """Return the names whose total in one of two populations must not be told, those of `hidden` included; None = no total.

    A difference of 1 to min_cell - 1 is withheld, and where it is the only one a second goes with it, for all differences add
    up to a number that is told: one that is withheld already, else the smallest, an empty one last. Which of the withheld
    differences are 0 the reader does not know, so that two are enough.
    Populations of which neither lies within the other have no differences that count anything: `hidden` is returned.
    """
    apart = {name: wide[name] - count for name, count in narrow.items() if name in wide}
    if min(apart.values(), default=0) < 0:
        apart = {name: -difference for name, difference in apart.items()}
    if min(apart.values(), default=0) < 0:
        return frozenset(hidden)
    found = {name for name, count in apart.items() if 0 < count < min_cell and name not in hidden}
    if len(found) == 1 and not hidden & apart.keys():
        others = [name for name in apart if name not in found]
        others.sort(key=lambda name: (not apart[name], apart[name]))
        if not others:
            return None
        found.add(others[0])
    return frozenset(hidden | found)
