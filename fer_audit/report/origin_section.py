"""Where did the images come from? What the batch gives away, and whether a sample is a fair draw of its set."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import RenderableType
from rich.text import Text

from fer_audit.audit.types.claims import BatchPrediction
from fer_audit.audit.types.composition import SubsetCheck
from fer_audit.report.tables import Column, Grid, Heading, Item, plain, prose
from fer_audit.text import because, clipped, coefficient, counted, p_phrase, p_text, percent, whole


def batches(predictions: Sequence[BatchPrediction]) -> list[RenderableType]:
    """Return how well the batch of an image alone, e.g. the hour of the crawl, guesses each attribute."""
    if not predictions:
        return []
    parts: list[RenderableType] = [
        Heading("Does the way images were collected give people away?"),
        prose(
            "Knowing only an image's batch and naming the most frequent group there, how often is one right?"
            " Compare with naming the largest group each time. From the others: the same guess, made from the other images"
            " of the batch only, which small batches cannot flatter. Shuffled: what chance would get right."
        ),
        Text(""),
    ]
    known = [prediction for prediction in predictions if prediction.accuracy is not None]
    if known:
        parts.append(_batch_grid(known))
    for prediction in predictions:
        if prediction.accuracy is None:
            name = f"? {clipped(prediction.attribute, 28)} from {clipped(prediction.batch, 28)}"
            parts.append(Item(plain(name, "bold"), plain(because(prediction.not_computable))))
    return parts


def _batch_grid(predictions: Sequence[BatchPrediction]) -> Grid:
    columns = [
        Column(Text("attribute"), squeeze=9),
        Column(Text("from the batch"), squeeze=9),
        Column(Text("V~"), right=True),
        Column(Text("guessed right"), right=True, squeeze=9),
        Column(Text("from the others"), right=True, squeeze=7),
        Column(Text("largest group"), right=True, squeeze=9),
        Column(Text("shuffled"), right=True),
        Column(Text("p"), right=True),
    ]
    rows = [
        [
            plain(clipped(prediction.attribute, 28), "bold"),
            plain(clipped(prediction.batch, 28)),
            Text(_known(prediction.v_corrected, coefficient)),
            Text(f"{percent(prediction.accuracy)} ({prediction.right:,})"),
            Text(_known(prediction.left_out_accuracy, percent), "bold"),
            plain(
                f"{percent(prediction.majority)} {clipped(prediction.majority_group or '', 20)}"
            ),
            Text(percent(prediction.chance)),
            Text(p_text(prediction.p)),
        ]
        for prediction in predictions
    ]
    return Grid(columns, rows)


def _known(value: float | None, write: Callable[[float], str]) -> str:
    return "–" if value is None else write(value)


def subset(checks: Sequence[SubsetCheck], alpha: float) -> list[RenderableType]:
    """Return whether this sample is a fair draw of the set it comes from."""
    if not checks:
        return []
    parts: list[RenderableType] = [Heading("Is this sample a fair draw?")]
    for index, check in enumerate(checks):
        parts += [Text("")] if index else []
        parts += _subset(check, alpha)
    return parts


def _subset(check: SubsetCheck, alpha: float) -> list[RenderableType]:
    attribute, reference = clipped(check.attribute, 28), clipped(check.reference, 40)
    if check.p is None:
        return [
            Item(
                Text("? unknown", "bold"),
                plain(f"{attribute} against {reference}: {because(check.not_computable)}"),
            )
        ]
    unlike = check.p <= alpha
    marker = (
        Text.assemble(("■ ", "bold red"), ("unlike", "bold"))
        if unlike
        else Text.assemble(("✓ ", "green"), "alike")
    )
    facts = f"{attribute} of {counted(check.n, 'image')} against {reference}: {p_phrase(check.p)}"
    facts += f" ({check.method})" if check.method else ""
    if check.tv is not None:
        facts += f", {percent(check.tv)} of the images would have to change group (TV)"
    if unlike and check.worst is not None:
        worst = check.worst
        facts += (
            f"; worst: {clipped(worst.name, 28)} with {percent(worst.share)} ({worst.count:,})"
            f" where the set has {percent(worst.reference_share)}, {p_phrase(worst.p)}"
        )
    parts: list[RenderableType] = [Item(marker, plain(facts + "."), 9)]
    columns = [
        Column(plain(attribute), squeeze=10),
        Column(Text("here"), right=True),
        Column(Text("images"), right=True),
        Column(Text("the whole set"), right=True),
        Column(Text("p"), right=True),
    ]
    rows = [
        [
            plain(clipped(group.name, 28)),
            Text(percent(group.share)),
            Text(whole(group.count)),
            Text(percent(group.reference_share)),
            Text(p_text(group.p)),
        ]
        for group in check.groups
    ]
    return [*parts, Text(""), Grid(columns, rows)] if rows else parts
