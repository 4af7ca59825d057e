"""What the batch of an image, e.g. the hour of the crawl, says of who is in it."""

from __future__ import annotations

from fer_audit.audit.types.claims import BatchPrediction
from fer_audit.report.blocks import Block, Charts, Section
from fer_audit.report.charts.collection import batch_guesses
from fer_audit.report.sections.values import (
    left,
    right,
    shuffled_p,
    spoken,
    table_of,
    without_value,
)
from fer_audit.report.view import View
from fer_audit.text import clipped, coefficient, or_dash, percent, whole

_NOTE = (
    "Knowing only an image's batch, or its part of a split, and naming the most frequent group there, how often is one right? Compare with naming the"
    " largest group each time. From the others: the same guess, made from the other images there only, which small"
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
        blocks.append(Charts(lambda: [batch_guesses(computed)]))
        blocks.append(
            table_of(
                "Guessing an attribute from the batch or part alone",
                computed,
                left("attribute", lambda x: spoken(x.attribute), wrap=9),
                left("from", lambda x: spoken(x.batch), wrap=9),
                right("V~", lambda x: or_dash(x.v_corrected, coefficient)),
                right("guessed right", _guessed, wrap=9),
                right("from the others", lambda x: or_dash(x.left_out_accuracy, percent), wrap=7),
                right("largest group", _majority, wrap=9),
                right("shuffled", lambda x: percent(x.chance)),
                right("p", shuffled_p),
                note=_NOTE,
            )
        )
    blocks += without_value(
        (f"{spoken(each.attribute)} from {spoken(each.batch)}", each.not_computable)
        for each in predictions
        if each.accuracy is None
    )
    title = "Does the way images were collected predict who is in them?"
    return Section("collection", title, tuple(blocks))


def _guessed(each: BatchPrediction) -> str:
    return f"{percent(each.accuracy)} ({whole(each.right)})"


def _majority(each: BatchPrediction) -> str:
    return f"{percent(each.majority)} {clipped(each.majority_group or '', 20)}".strip()
