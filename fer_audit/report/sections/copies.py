"""Files that are byte-identical, and copies whose labels contradict each other."""

from __future__ import annotations

from fer_audit.report.blocks import Block, Column, Prose, Section, Table
from fer_audit.report.view import View
from fer_audit.text import clipped, counted, display, whole


def copies(view: View) -> Section:
    """Return how many files are copies, how many have contradicting labels, and a few of them."""
    found = view.result.duplicates
    title = "Are there copies, and do their labels agree?"
    if not found.groups:
        return Section("copies", title, (Prose("No two files are byte-identical.", "summary"),))
    left_out = counted(found.left_out, "copy", "copies")
    in_tests = f"{left_out} left out of the tests" if found.left_out else "all kept in the tests"
    blocks: list[Block] = [
        Prose(
            f"{counted(found.files, 'file')} in {counted(found.groups, 'group')} of byte-identical files; {in_tests}.",
            "summary",
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
                    (" = ".join(clipped(file_id, 60) for file_id in group),)
                    for group in found.examples
                ),
            )
        )
    return Section("copies", title, tuple(blocks))
