"""Does the way images were collected predict the labels?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.claims.associations import how_shuffled
from fer_audit.audit.claims.confounders import IMAGE_SIZE, batch_columns
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.resampling import fixed_margin_tables, monte_carlo_p
from fer_audit.audit.stats.tables import Counts, Floats, Mask, corrected_v, cross_table, drop_empty
from fer_audit.audit.stats.units import Blocks, make_blocks
from fer_audit.audit.types.claims import BatchPrediction
from fer_audit.audit.types.not_computable import because
from fer_audit.audit.types.result import AuditResult, Finding, LedgerEntry
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng
from fer_audit.text import display, percent, rounded_percent, sentence, unreached

BATCH_GAIN = 0.05
"""Share of the images outside the largest group which a batch must guess right to be mentioned."""
FAR = 0.25
"""Share of the same from which the notice becomes a warning."""
MOST_DRAWS = 999
"""Enough for p = 0.001; hundreds of batches make every draw expensive (0.2 s for 132 x 9 cells)."""


_FIELDS = (
    *("accuracy", "majority_group", "majority", "chance", "p", "left_out_accuracy"),
    "v_corrected",
)


def predict_from_batch(
    batch: Attribute,
    attribute: Attribute,
    *,
    tested: Mask,
    draws: int,
    rng: np.random.Generator,
    blocks: Blocks | None = None,
) -> BatchPrediction:
    """Return how often naming each batch's most frequent group is right, over the `tested` rows.

    Goodman & Kruskal 1954 (their lambda is the gain over the majority, scaled). Labels are shuffled image by image, or in
    `blocks` of the batches and groups of those rows.
    """
    table = cross_table(
        batch.codes[tested],
        attribute.codes[tested],
        n_rows=len(batch.categories),
        n_cols=len(attribute.categories),
    )
    kept, _, groups = drop_empty(table)
    n = int(kept.sum())
    if reason := _why_unpredictable(kept):
        return BatchPrediction(
            batch.name, attribute.name, n, not_computable=because(reason, *_FIELDS)
        )
    draws = min(draws, MOST_DRAWS)
    if blocks is None:
        stacks = fixed_margin_tables(kept.sum(axis=1), kept.sum(axis=0), draws=draws, rng=rng)
    else:
        stacks = blocks.shuffled((len(batch.categories), len(attribute.categories)), draws, rng)
    chance = np.concatenate([_right(stack) for stack in stacks])
    right = int(_right(kept))
    largest = int(kept.sum(axis=0).argmax())
    return BatchPrediction(
        batch=batch.name,
        attribute=attribute.name,
        n=n,
        right=right,
        accuracy=right / n,
        majority_group=attribute.categories[int(groups[largest])],
        majority=int(kept.sum(axis=0)[largest]) / n,
        chance=float(chance.mean()) / n,
        p=monte_carlo_p(chance, right),
        permutations=draws,
        left_out_accuracy=left_out_accuracy(kept),
        v_corrected=float(corrected_v(kept)),
    )


def left_out_accuracy(table: Counts) -> float:
    """Return how often the most frequent group among the other images of its batch is an image's own.

    A tie names nobody and counts as wrong. An image alone in its batch is guessed from all other images.
    `table` has no empty row or column.
    """
    sizes = table.sum(axis=1)
    alone, whole = table[sizes == 1].sum(axis=0), table.sum(axis=0)
    right = _right_left_out(table[sizes > 1]).sum()
    right += alone[_right_left_out(whole[None, :])[0] > 0].sum()
    return float(right / table.sum())


def _right_left_out(tables: Counts) -> Counts:
    """Return the (batches, groups) number of images guessed right from the others of their row.

    Without the image its group has one less, and it must still have more than any other.
    """
    order = np.sort(tables, axis=1)
    others = np.where(tables == order[:, -1:], order[:, -2:-1], order[:, -1:])
    return np.where(tables - 1 > others, tables, 0)


def _right(tables: Counts) -> Floats:
    """Return how many images of (..., batches, groups) tables the best guess in each batch gets right."""
    return np.asarray(tables.max(axis=-1).sum(axis=-1), dtype=np.float64)


def _why_unpredictable(kept: Counts) -> str:
    if kept.size == 0:
        return "no image has both labels"
    if kept.shape[0] < 2:
        return "all images are in one batch or part"
    return "all images are in one group" if kept.shape[1] < 2 else ""


def _findings(result: AuditResult) -> Iterator[Finding]:
    """Name, for each attribute, the batch that predicts it best: day and hour are one story."""
    alpha = result.config.statistics.alpha
    best: dict[str, BatchPrediction] = {}
    finer = finer_batches(result)
    for each in sorted(result.batch_predictions, key=_gain, reverse=True):
        rare = each.p is not None and each.p <= alpha
        if each.batch not in finer and rare and _gain(each) >= BATCH_GAIN:
            best.setdefault(each.attribute, each)
    for batch in dict.fromkeys(each.batch for each in best.values()):
        guesses = [each for each in best.values() if each.batch == batch]
        top, name = guesses[0], display(batch)
        yield Finding(
            code="batch_knows_labels",
            severity="fix" if _gain(top) >= FAR else "know",
            text=f"{sentence(name)} predicts {display(top.attribute)}, {rounded_percent(top.left_out_accuracy or 0)} right without an image (always saying {top.majority_group}: {rounded_percent(top.majority or 0)}).",
            attribute=batch,
            effect=0.3 + _gain(top) / 2,
            figures=f"{', '.join(map(_describe_guess, guesses))}; each image left out of its own count, but for labels shuffled by {display(top.unit)}",
            do=f"Compare groups within the same {name}, and keep each whole in one part of a split.",
            values=tuple((each.attribute, each.left_out_accuracy or 0.0) for each in guesses),
        )


def finer_batches(result: AuditResult) -> frozenset[str]:
    """Return the batch columns that are finer or coarser than the one claims are summed up by: sentences name that one."""
    levels = {
        (left.level, left.headline)
        for claim in result.claims
        for left in claim.left
        if left.level not in ("others", "style", IMAGE_SIZE)
    }
    headlines = {level for level, headline in levels if headline}
    return frozenset(level for level, _ in levels) - headlines if headlines else frozenset()


def _gain(guess: BatchPrediction) -> float:
    """Return the share of what always naming the largest group gets wrong that the batch gets right.

    Each image is left out of its own count: among the images they have counted, many small batches are right
    by themselves, which shuffled labels show and this does not need.
    """
    right, blind = guess.left_out_accuracy, guess.majority
    if right is None or blind is None or blind >= 1:
        return 0.0
    return max(0.0, (right - blind) / (1 - blind))


def _describe_guess(guess: BatchPrediction) -> str:
    return (
        f"{display(guess.attribute)} {percent(guess.left_out_accuracy)} of {guess.n:,}"
        f" (always saying {guess.majority_group}: {percent(guess.majority)}; shuffled: {percent(guess.chance)})"
    )


def _subjects(inputs: AuditInputs) -> list[tuple[Attribute, ...]]:
    splits = [each for each in inputs.dataset.attributes if each.kind == "split"]
    return list(product((*inputs.once(batch_columns), *splits), inputs.people))


def _run(inputs: AuditInputs, batch: Attribute, attribute: Attribute) -> BatchPrediction:
    tested = inputs.listed_once
    rows, one = np.where(tested, batch.codes, -1), np.zeros(len(tested), np.int64)
    blocks = make_blocks(rows, attribute.codes, one, inputs.exchanged)
    found = predict_from_batch(
        batch,
        attribute,
        tested=tested,
        draws=inputs.config.statistics.permutations,
        rng=stage_rng(inputs.config.seed, "audit", "batch", batch.name, attribute.name),
        blocks=blocks,
    )
    return replace(found, unit=inputs.unit_of(blocks))


def _ledger(guesses: Sequence[BatchPrediction]) -> Iterator[LedgerEntry]:
    for guess in guesses:
        if guess.p is not None:
            subject = f"{guess.attribute} from {guess.batch}"
            method = f"{how_shuffled(guess.permutations, guess.unit)}, accuracy of the best guess"
            at_most = unreached(guess.p, guess.permutations)
            yield LedgerEntry("batch prediction", subject, method, guess.p, at_most=at_most)


ANALYSIS = Analysis(
    name="batch_predictions",
    record=BatchPrediction,
    run=_run,
    subjects=_subjects,
    needs=("listed_once", "exchanged", "units"),
    settings=("permutations",),
    findings=_findings,
    ledger=_ledger,
)
