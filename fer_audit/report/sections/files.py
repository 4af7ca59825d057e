"""Files that could not be used, files that are odd, labels that could not be read, and what is known of the set."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.composition import RejectCount
from fer_audit.report.blocks import Block, Bullets, Prose, Section
from fer_audit.report.sections.values import left, right, table_of
from fer_audit.report.view import View
from fer_audit.text import clipped, display, whole


def files(view: View) -> Section:
    """Return what failed, what is odd, and what is known to be wrong with the set."""
    dataset = view.result.dataset
    blocks: list[Block] = [
        Prose(
            f"{whole(dataset.listed)} files listed = {whole(dataset.ok)} ok + {whole(dataset.failed)} failed;"
            f" {whole(dataset.fully_labelled)} have all labels.",
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
    table = table_of(
        title,
        reasons,
        left("reason", lambda x: display(x.reason), wrap=16),
        right("count", lambda x: whole(x.count)),
        left(
            "for example", lambda x: ", ".join(clipped(each, 60) for each in x.examples), wrap=20
        ),
    )
    return [table]
