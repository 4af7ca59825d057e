"""Files that could not be used, files that are odd, labels that could not be read, and what is known of the set."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.composition import RejectCount
from fer_audit.report.blocks import Block, Bullets, Column, Prose, Section, Table
from fer_audit.report.view import View
from fer_audit.text import clipped, display, whole


def files(view: View) -> Section:
    """Return what failed, what is odd, and what is known to be wrong with the set."""
    dataset = view.result.dataset
    blocks: list[Block] = [
        Prose(
            f"{whole(dataset.listed)} files listed = {whole(dataset.ok)} ok + {whole(dataset.failed)} failed;"
            f" {whole(dataset.fully_labelled)} have all labels.",
            "summary",
        )
    ]
    if dataset.notes:
        blocks.append(Bullets(dataset.notes))
    blocks += _reasons("Failed: could not be embedded", dataset.failures)
    blocks += _reasons("Flagged: ok but odd", dataset.flags)
    blocks += _reasons("Rejected: labels that could not be read", dataset.rejects)
    return Section("files", "Which files and labels have defects?", tuple(blocks))


def _reasons(title: str, reasons: Sequence[RejectCount]) -> list[Block]:
    if not reasons:
        return []
    columns = (
        Column("reason", wrap=16),
        Column("count", right=True),
        Column("for example", wrap=20),
    )
    rows = tuple(
        (
            display(reason.reason),
            whole(reason.count),
            ", ".join(clipped(example, 60) for example in reason.examples),
        )
        for reason in reasons
    )
    return [Table(title, columns, rows)]
