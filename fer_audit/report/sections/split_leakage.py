"""What the parts of a set share: the same photos, and the same people."""

from __future__ import annotations

from fer_audit.audit.types.copies import SplitLeak
from fer_audit.audit.types.lists import SPLIT_LEAKS
from fer_audit.report.blocks import Block, Prose, Section
from fer_audit.report.sections.values import left, right, spoken, table_of
from fer_audit.report.view import View
from fer_audit.text import clipped, counted, whole


def split_leakage(view: View) -> Section | None:
    """Return how many photos and people lie in several parts of each split; nothing if the set has no parts."""
    leaks = view.result.split_leaks
    if not leaks:
        return None
    blocks: list[Block] = [Prose(_in_words(leak)) for leak in leaks]
    for leak in leaks:
        blocks += _tables(leak)
    if any(leak.examples for leak in leaks):
        blocks.append(Prose(f"All of these images are listed in {SPLIT_LEAKS}.", tone="small"))
    return Section("parts", "Do parts of the set share photos or people?", tuple(blocks))


def _in_words(leak: SplitLeak) -> str:
    if leak.subject is None:
        what = f"{'near' if leak.near_identical else 'byte'}-identical photo"
        many = f"{what}s"
    else:
        what, many = (f"{word} ({spoken(leak.subject)})" for word in ("person", "people"))
    where = f"in more than one part of {spoken(leak.attribute)}"
    if not leak.groups:
        return f"No {what} {where}."
    return f"{counted(leak.groups, what, many)} {where}: {counted(leak.images, 'image')}."


def _tables(leak: SplitLeak) -> list[Block]:
    what = "photos" if leak.subject is None else f"people ({spoken(leak.subject)})"
    what += ", near-identical" if leak.near_identical else ""
    blocks: list[Block] = []
    if leak.pairs:
        blocks.append(
            table_of(
                f"Shared by parts of {spoken(leak.attribute)}: {what}",
                leak.pairs,
                left("part", lambda x: clipped(x.first, 28), wrap=8),
                left("and part", lambda x: clipped(x.second, 28), wrap=8),
                right("photos" if leak.subject is None else "people", lambda x: whole(x.groups)),
                right("images", lambda x: whole(x.images)),
                note="Images: in these two parts.",
            )
        )
    if leak.examples:
        blocks.append(
            table_of(
                f"For example, by {spoken(leak.attribute)}: {what}",
                leak.examples,
                left(
                    "images",
                    lambda x: " and ".join(
                        f"{clipped(each.part, 28)}: {clipped(each.id, 60)}" for each in x
                    ),
                    wrap=20,
                ),
                importance="detail",
            )
        )
    return blocks
