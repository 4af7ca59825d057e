"""Predictions that somebody else made: a column of classes, or a column of probabilities for each class.

Columns are known by the names that deepface, py-feat, hsemotion and FairFace's predict.py give them, or by the classes
they are named after. What a class is called is for an explicit map to say; no class is guessed.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.classify.types import NONE_SAID, Predictions, Predictor
from fer_audit.errors import ConfigError
from fer_audit.text import counted, encodable, name_some

LABEL_NAMES: Mapping[str, tuple[str, ...]] = {
    "expression": (
        *("predicted_expression", "predicted_emotion", "dominant_emotion", "prediction"),
        *("predicted", "predicted_class", "predicted_label", "pred", "emotion", "expression"),
    ),
    "gender": ("predicted_gender", "dominant_gender", "gender"),
    "race": ("predicted_race", "dominant_race", "race"),
}
"""What is predicted -> names of a column of classes, plain, the surest first."""
_PREFIX = re.compile(
    r"(?:emotion|emotions|prob|probability|p|score|race|gender)[._ ]", re.IGNORECASE
)
SUMS_TO_ONE = 1e-2
"""How far the probabilities of a line may be off one: they are printed with three digits or more."""

MAX_CLASSES = 10
"""Known classes that a note names."""

NO_PREDICTION = "no_prediction"
UNKNOWN_CLASS = "unknown_class"
WITHOUT_COUNTERPART = "class_without_counterpart"
NOT_PROBABILITIES = "probabilities_do_not_sum_to_one"
CONFLICTING = "conflicting_predictions"

Target = Callable[[str], str | None]
"""A name that a table uses -> the class it means, None when it has no counterpart; KeyError for a name that is not known."""
_Lines = tuple[NDArray[np.intp], NDArray[np.str_], tuple[str, ...]]
"""(m,) class of each line, (m,) why it has none, and notes."""


@dataclass(frozen=True, slots=True)
class PredictionColumns:
    """Where a table says what it predicts; one of the two is there."""

    label: str | None
    probabilities: Mapping[str, str]
    """Class -> its column; empty where there is only the predicted class."""

    def needed(self) -> list[str]:
        """Return the columns to read."""
        return list(self.probabilities.values()) or [str(self.label)]


def prediction_columns(
    columns: Sequence[str], about: str, target: Target, *, table: str, asked: str | None = None
) -> PredictionColumns:
    """Return the columns that hold predictions of `about`: probabilities where there are some, else the predicted class.

    `asked` names the column of classes, `table` the file in messages. Raises ConfigError when there is neither, or two columns mean one class.
    """
    if asked is not None:
        if asked not in columns:
            raise ConfigError(
                f'{table} has no column "{encodable(asked)}"; it has {name_some(columns)}',
                hint="Name one of them: --predicted-column NAME",
            )
        return PredictionColumns(asked, {})
    found: dict[str, str] = {}
    for column in columns:
        try:
            name = target(_PREFIX.sub("", column, count=1))
        except KeyError:
            continue
        if name is None:
            raise ConfigError(
                f'{table}: the column "{encodable(column)}" is about a class that has no counterpart in the scheme asked for',
                hint="Choose a scheme that has it: its probabilities would be missing from the sums.",
            )
        if name in found:
            raise ConfigError(
                f'{table}: the columns "{encodable(found[name])}" and "{encodable(column)}" both mean {name}',
                hint="Remove one of them, or name the column of predicted classes: --predicted-column NAME",
            )
        found[name] = column
    if len(found) > 1:
        return PredictionColumns(None, found)
    plain = {column.strip().casefold(): column for column in reversed(columns)}
    for name in LABEL_NAMES.get(about, (f"predicted_{about}", about)):
        if name in plain:
            return PredictionColumns(plain[name], {})
    raise ConfigError(
        f"No column of {table} is known to hold the predicted {about}; there are {name_some(columns)}",
        hint="Name the column of predicted classes: --predicted-column NAME",
    )


def table_predictions(
    cells: Mapping[str, Sequence[str | None]],
    where: PredictionColumns,
    rows: NDArray[np.intp],
    n: int,
    *,
    about: str,
    classes: tuple[str, ...],
    target: Target,
    by: Predictor,
    fingerprint: str,
) -> Predictions:
    """Return the predictions of n images, joined from the m lines of a table.

    `cells`: the columns of `where`, m cells each; `rows`: (m,) the image of each line, -1 for none. `classes` are the
    targets that `target` may give. A line that says nothing usable gives its image a reason and no class; lines of one
    image that do not say the same give it none either. Images without a line, and lines without an image, are counted.
    """
    if where.probabilities:
        held = tuple(name for name in classes if name in where.probabilities)
        numbers = _numbers([cells[where.probabilities[name]] for name in held])
        codes, reasons, notes = _largest(numbers)
    else:
        held, numbers = classes, None
        codes, reasons, notes = _named(cells[str(where.label)], classes, target)
    joined = np.flatnonzero(rows >= 0)
    first = np.full(n, len(rows), np.intp)  # one line more than there are: it says nothing
    np.minimum.at(first, rows[joined], joined)
    said = np.append(reasons, NO_PREDICTION)[first]
    said[rows[joined][codes[joined] != codes[first[rows[joined]]]]] = CONFLICTING
    ok = said == ""
    found = np.where(ok, np.append(codes, NONE_SAID)[first], NONE_SAID).astype(np.int16)
    shares = None
    if numbers is not None:
        shares = np.zeros((n, len(held)), np.float32)
        shares[ok] = numbers[first[ok]]
    alone, conflicts = int((first == len(rows)).sum()), int((said == CONFLICTING).sum())
    counts = (
        counted(len(rows) - len(joined), "line names", "lines name") + " no image of the set.",
        counted(alone, "image has", "images have") + " no line.",
        counted(len(joined) - n + alone, "line repeats", "lines repeat") + " an image.",
        counted(conflicts, "image has", "images have")
        + " lines that contradict each other, and no class.",
    )
    notes = (*notes, *(each for each in counts if not each.startswith("0 ")))
    return Predictions(about, held, found, shares, ok, said, by, fingerprint, notes=notes)


def _named(words: Sequence[str | None], classes: Sequence[str], target: Target) -> _Lines:
    meaning: dict[str, tuple[int, str]] = {"": (NONE_SAID, NO_PREDICTION)}
    unknown: Counter[str] = Counter()
    found = []
    for word in words:
        text = (word or "").strip()
        if text not in meaning:
            try:
                name = target(text)
                meaning[text] = (
                    (NONE_SAID, WITHOUT_COUNTERPART) if name is None else (classes.index(name), "")
                )
            except KeyError:
                meaning[text] = (NONE_SAID, UNKNOWN_CLASS)
        if meaning[text][1] == UNKNOWN_CLASS:
            unknown[text] += 1
        found.append(meaning[text])
    notes = []
    if unknown:
        count = counted(unknown.total(), "line")
        notes.append(
            f"{count} with a class that is not known: {name_some([*unknown])}; known are {name_some(classes, limit=MAX_CLASSES)}."
        )
    codes = np.array([code for code, _ in found], np.intp)
    return codes, np.array([reason for _, reason in found], "U32"), tuple(notes)


def _numbers(columns: Sequence[Sequence[str | None]]) -> NDArray[np.float64]:
    """Return (m, classes) numbers, NaN where a cell holds none."""
    return np.array([[_number(cell) for cell in column] for column in columns], np.float64).T


def _number(cell: str | None) -> float:
    try:
        return float(cell or "nan")
    except ValueError:
        return math.nan


def _largest(numbers: NDArray[np.float64]) -> _Lines:
    """Scale percentages down in place, and return each line's likeliest class."""
    sums = numbers.sum(axis=1)
    empty = np.isnan(numbers).all(axis=1)
    usable = (numbers >= 0).all(axis=1)
    percentages = usable & (abs(sums - 100) < 100 * SUMS_TO_ONE)
    numbers[percentages] /= 100
    fits = percentages | (usable & (abs(sums - 1) < SUMS_TO_ONE))
    reasons = np.where(fits, "", np.where(empty, NO_PREDICTION, NOT_PROBABILITIES)).astype("U32")
    codes = np.where(
        fits, np.nan_to_num(numbers, nan=-1.0).astype(np.float32).argmax(axis=1), NONE_SAID
    )
    counts = (
        (int(percentages.sum()), "in percent"),
        (int((reasons == NOT_PROBABILITIES).sum()), "that do not add up to 1, and so no class"),
    )
    notes = (f"{counted(n, 'line')} with probabilities {what}." for n, what in counts if n)
    return codes.astype(np.intp), reasons, tuple(notes)
