"""What the sections and the charts of a comparison share: the two runs' names and marks, and how a difference is written."""

from __future__ import annotations

import re

from fer_audit.audit.types.compare import Agreement, Comparison, GroupChange
from fer_audit.text import (
    clipped,
    coefficient,
    counted,
    difference,
    p_phrase,
    sentence,
    span,
    unreached,
    visible,
)

SIGNS = ("●", "◇")
"""The first run is a filled circle and the second an open diamond, in words and in every chart of a comparison."""
Runs = tuple[str, str]
Share = tuple[int | None, float | None, float | None, float | None]
"""Count, share, low, high of one run."""
_ABSOLUTE = re.compile(r"(?:~|\.{1,2}|[A-Za-z]:)?[\\/]")


def run_names(comparison: Comparison) -> Runs:
    """Return the last folder of each run's path: no report says where on a disk it was made."""
    first, second = (last_folder(run.name) for run in (comparison.first, comparison.second))
    return (first or "first run", second or "second run")


def last_folder(path: str) -> str:
    """Return the last name of a path of any system; "" where it has none."""
    # A folder may have a backslash in its name where folders are parted by slashes.
    parts = path.rstrip("\\/").split("/" if "/" in path else "\\")
    return "" if parts[-1].strip(" .") == "" else parts[-1]


def without_folders(text: str) -> str:
    """Return a path's last name and any other text as it is: where a file lay is the user's own business."""
    return f"…/{last_folder(text)}" if _ABSOLUTE.match(text) else text


def agreement_words(agreement: Agreement, level: str = "") -> str:
    """Return the agreement of the partitions in one or two sentences."""
    if agreement.ari is None:
        reason = visible(dict(agreement.not_computable).get("ari", "no reason is known"))
        return f"The agreement of the clusters is not computable: {reason}."
    interval = ""
    if agreement.low is not None:
        interval = f" ({level}interval {span(agreement.low, agreement.high)})"
    p = p_phrase(agreement.p, at_most=unreached(agreement.p, agreement.permutations))
    chance = "" if agreement.p is None else f", {p} against shuffled labels"
    if agreement.null_95 is not None:
        chance += f", 95 % of which stay under {coefficient(agreement.null_95)}"
    ami = "" if agreement.ami is None else f"; AMI {coefficient(agreement.ami)}"
    return f"ARI {coefficient(agreement.ari)}{interval}{chance}{ami}; {counted(agreement.n, 'image')}."


def shares_of(group: GroupChange) -> tuple[Share, Share]:
    """Return what both runs say of a group."""
    return (
        (group.first_count, group.first_share, group.first_low, group.first_high),
        (group.second_count, group.second_share, group.second_low, group.second_high),
    )


def difference_text(group: GroupChange, alpha: float) -> str:
    """Write a difference in points, marked where it is more than chance allows: +1.2 ▲."""
    if group.difference is None:
        return "–"
    is_clear = group.p_adjusted is not None and group.p_adjusted <= alpha and group.difference != 0
    mark = "" if not is_clear else " ▲" if group.difference > 0 else " ▼"
    return f"{difference(group.difference)}{mark}"


def reading_of(reading: str) -> str:
    """Return how the shares were tested, or why not, as a sentence; "" where nothing is said."""
    return f"{sentence(clipped(reading, 300))}." if reading else ""
