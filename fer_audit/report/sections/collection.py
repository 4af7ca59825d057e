"""What the batch of an image, e.g. the hour of the crawl, says of who is in it."""

from __future__ import annotations

from fer_audit.audit.types.claims import BatchPrediction
from fer_audit.report.blocks import Block, Cell, Column, Section, Table
from fer_audit.report.sections.values import spoken, without_value
from fer_audit.report.view import View
from fer_audit.text import clipped, coefficient, or_dash, p_text, percent, whole

_NOTE = (
    "Knowing only an image's batch and naming the most frequent group there, how often is one right? Compare with naming the"
    " largest group each time. From the others: the same guess, made from the other images of the batch only, which small"
    " batches cannot flatter. Shuffled: what chance would get right."
)


def collection(view: View) -> Section | None:
    """Return how well the batch of an image alone guesses each attribute; nothing if the set has no batches."""
    predictions = view.result.batch_predictions
    if not predictions:
        return None
    computed = [each for each in predictions if each.accuracy is not None]
    blocks: list[Block] = []
    if computed:
        columns = (
            Column("attribute", wrap=9),
            Column("from the batch", wrap=9),
            Column("V~", right=True),
            Column("guessed right", right=True, wrap=9),
            Column("from the others", right=True, wrap=7),
            Column("largest group", right=True, wrap=9),
            Column("shuffled", right=True),
            Column("p", right=True),
        )
        title = "Guessing an attribute from the batch alone"
        blocks.append(Table(title, columns, tuple(map(_row, computed)), note=_NOTE))
    blocks += without_value(
        (f"{spoken(each.attribute)} from {spoken(each.batch)}", each.not_computable)
        for each in predictions
        if each.accuracy is None
    )
    title = "Does the way images were collected predict who is in them?"
    return Section("collection", title, tuple(blocks))


def _row(each: BatchPrediction) -> tuple[Cell, ...]:
    return (
        spoken(each.attribute),
        spoken(each.batch),
        or_dash(each.v_corrected, coefficient),
        f"{percent(each.accuracy)} ({whole(each.right)})",
        or_dash(each.left_out_accuracy, percent),
        f"{percent(each.majority)} {clipped(each.majority_group or '', 20)}".strip(),
        percent(each.chance),
        p_text(each.p),
    )
