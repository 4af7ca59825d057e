"""Files that are byte-identical, and copies whose labels contradict each other."""

from __future__ import annotations

from fer_audit.audit.types.lists import NEAR_DUPLICATES
from fer_audit.report.blocks import Block, Column, Prose, Section, Table
from fer_audit.report.sections.values import left, right, table_of
from fer_audit.report.view import View
from fer_audit.text import clipped, counted, display, number, part, percent, whole


def copies(view: View) -> Section:
    """Return how many files are copies, how many have contradicting labels, and a few of them."""
    found = view.result.duplicates
    title = "Are there copies, and do their labels agree?"
    near = _near(view)
    if not found.groups:
        none = Prose("No two files are byte-identical.")
        return Section("copies", title, (none, *near))
    left_out = counted(found.left_out, "copy", "copies")
    in_tests = f"{left_out} left out of the tests" if found.left_out else "all kept in the tests"
    blocks: list[Block] = [
        Prose(
            f"{counted(found.files, 'file')} in {counted(found.groups, 'group')} of byte-identical files; {in_tests}.",
        )
    ]
    conflicts = [conflict for conflict in found.conflicts if conflict.count]
    if conflicts:
        blocks.append(
            Table(
                "Groups whose copies disagree, so at least one label is wrong",
                (Column("label", wrap=12), Column("groups", right=True)),
                tuple((display(clipped(each.name, 28)), whole(each.count)) for each in conflicts),
            )
        )
    if found.examples:
        blocks.append(
            Table(
                "For example",
                (Column("identical files", wrap=20),),
                tuple(
                    (", ".join(clipped(file_id, 60) for file_id in group),)
                    for group in found.examples
                ),
            )
        )
    return Section("copies", title, (*blocks, *near))


def _near(view: View) -> list[Block]:
    """Return how many images are one photo in other bytes, and in which labels they differ."""
    found = view.result.near_duplicates
    if found is None:
        return []
    where = (
        "no cosine"
        if found.threshold is None
        else f"cosine from {number(found.threshold, 3)} ({found.method})"
    )
    pixels = "all images" if found.all_pixels else f"pairs with a cosine above {found.floor:.3f}"
    how = f"Compared: {counted(found.compared, 'image')}, one of each byte-identical copy; {where}, or the same pixels, of {pixels}."
    if found.cut:
        how += f" {found.cut}."
    if not found.groups:
        return [Prose(f"No two images are near-identical. {how}")]
    many = f"{counted(found.images, 'image')} in {counted(found.groups, 'group')} of near-identical photos"
    blocks: list[Block] = [
        Prose(
            f"{many}; their pixels confirm {part(found.confirmed, found.pairs)} of the pairs.",
        ),
        Prose(f"{how} All are listed in {NEAR_DUPLICATES}.", tone="small"),
    ]
    if any(each.pairs for each in found.disagreements):
        blocks.append(
            table_of(
                "Labels that differ between near-identical photos",
                found.disagreements,
                left(
                    "label", lambda x: f"{display(clipped(x.attribute, 28))}{x.by_years}", wrap=12
                ),
                right("pairs", lambda x: whole(x.pairs)),
                right("differ", lambda x: whole(x.differ)),
                right("share", lambda x: percent(x.share)),
                right("groups", lambda x: whole(x.groups)),
                note="Pairs that their pixels confirm.",
            )
        )
    if found.examples:
        blocks.append(
            table_of(
                "For example",
                found.examples,
                left(
                    "near-identical photos",
                    lambda x: ", ".join(clipped(y, 60) for y in x),
                    wrap=20,
                ),
                importance="detail",
            )
        )
    return blocks
