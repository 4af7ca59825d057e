"""What a claim is asked to survive: the columns held fixed at rungs 4 to 6, and those a user names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.inputs import AuditInputs
from fer_audit.config import StatisticsSettings
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.errors import ConfigError
from fer_audit.pack.types import STYLE_NAMES, PackRows

STYLE_JOINT = ("luma_mean", "saturation", "sharpness")
"""Light, colour and focus: held fixed together, in thirds, 27 strata."""
STYLE_PARTS = 3
"""Bins of each measure where three are held fixed together."""
MEASURE_PARTS = 10
"""Bins of a measure that is held fixed alone."""
MOST_SIZES = 50
"""Distinct image sizes up to which each is a batch of its own; beyond, tenths by number of pixels."""
IMAGE_SIZE = "image_size"


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Is the association still there among images that are alike in these columns?"""

    rung: int | None
    """None = asked for by the user."""
    family: str
    """Questions of this name are corrected together over the attributes."""
    columns: tuple[Attribute, ...]
    minor: bool = False
    """One of many: fewer shuffles."""

    @property
    def given(self) -> tuple[str, ...]:
        """Names of the columns held fixed."""
        return tuple(each.name for each in self.columns)


@dataclass(frozen=True, slots=True, eq=False)
class Confounders:
    """What can be held fixed: batch columns, and style measures in bins."""

    batches: tuple[Attribute, ...]
    style: tuple[Attribute, ...]
    joint_style: tuple[Attribute, ...]


def what_can_be_given(inputs: AuditInputs) -> Confounders:
    """Return the columns of a set that claims can be asked to survive."""
    rows, tested = inputs.rows, inputs.tested
    batches = inputs.once(batch_columns)
    return Confounders(
        batches=tuple(each for each in batches if each.counts().astype(bool).sum() > 1),
        style=tuple(style_bins(rows, tested, STYLE_NAMES, parts=MEASURE_PARTS)),
        joint_style=tuple(style_bins(rows, tested, STYLE_JOINT, parts=STYLE_PARTS)),
    )


def questions_for(attribute: Attribute, inputs: AuditInputs) -> Iterator[Question]:
    """Yield the questions to one demographic attribute, in the order of the rungs."""
    given = inputs.once(what_can_be_given)
    batches, dataset = given.batches, inputs.dataset
    own = (attribute.name, attribute.mapped_from)
    others = [each for each in inputs.crossed if each.name not in own]
    if others:
        yield _question(4, others, "other attributes")
    if given.joint_style:
        yield _question(5, given.joint_style, "style")
    for measure in given.style:
        yield _question(5, [measure], measure.name, minor=True)
    for batch in batches:
        yield _question(6, [batch], batch.name)
    if batches and others:
        yield _question(6, [*others, batches[0]], f"other attributes x {batches[0].name}")
    known = {each.name: each for each in (*dataset.attributes, *batches, *given.style)}
    for names in inputs.config.statistics.given:
        if not set(own) & set(names) and all(name in known for name in names):
            yield _question(None, [known[name] for name in names], " x ".join(names))


def refuse_unknown_columns(dataset: FaceDataset, settings: StatisticsSettings) -> None:
    """Raise ConfigError where --given names a column that no set of this kind could have."""
    names = {each.name for each in dataset.attributes} | {IMAGE_SIZE, *STYLE_NAMES}
    for given in settings.given:
        for name in given:
            if name not in names:
                raise ConfigError(
                    f"--given names {name!r}, which is no column of {dataset.name}",
                    hint=f"Choose from: {', '.join(sorted(names))}",
                )


def style_bins(
    rows: PackRows, usable: NDArray[np.bool_], names: Sequence[str], *, parts: int
) -> list[Attribute]:
    """Return each named style measure in bins of about equal size, without those that do not vary."""
    found = []
    for name in names:
        values = rows.style[:, STYLE_NAMES.index(name)].astype(np.float64)
        if usable.any() and np.ptp(values[usable]) > 0:
            codes = _quantile_codes(values, usable, parts)
            labels = tuple(f"{name} {i + 1}" for i in range(int(codes.max()) + 1))
            found.append(Attribute(name, labels, codes, "style"))
    return found


def image_sizes(rows: PackRows) -> Attribute | None:
    """Return the width and height of each image as a batch column; None when all are the same.

    Size is a trace of where an image comes from. Many sizes become tenths by number of pixels.
    """
    if not rows.ok.any():
        return None
    width, height = rows.widths.astype(np.int64), rows.heights.astype(np.int64)
    sizes, codes = np.unique(np.stack([width, height])[:, rows.ok], axis=1, return_inverse=True)
    if sizes.shape[1] < 2:
        return None
    if sizes.shape[1] > MOST_SIZES:
        pixels = (width * height).astype(np.float64)
        binned = _quantile_codes(pixels, rows.ok, MEASURE_PARTS)
        labels = tuple(f"tenth {i + 1}" for i in range(int(binned.max()) + 1))
        return Attribute(IMAGE_SIZE, labels, binned, "batch") if len(labels) > 1 else None
    spread = np.full(len(rows.ok), -1, dtype=np.int16)
    spread[rows.ok] = codes.ravel()
    return Attribute(IMAGE_SIZE, tuple(f"{w} x {h}" for w, h in sizes.T), spread, "batch")


def batch_columns(inputs: AuditInputs) -> list[Attribute]:
    """Return every column about how images were collected; their size is one where it varies.

    A split is none: how a set is divided says nothing of where its images come from.
    """
    found = [each for each in inputs.dataset.attributes if each.kind == "batch"]
    size = image_sizes(inputs.rows)
    if size is not None and all(each.name != size.name for each in found):
        found.append(size)
    return found


def combined(attributes: Sequence[Attribute]) -> NDArray[np.int64]:
    """Return the (n,) code of each combination that occurs, -1 where one column is not annotated."""
    known = np.all([each.codes >= 0 for each in attributes], axis=0)
    codes = np.zeros(len(known), dtype=np.int64)
    for each in attributes:
        # Numbered again at each step, so that many columns cannot leave int64.
        _, codes = np.unique(
            codes * (len(each.categories) + 1) + each.codes + 1, return_inverse=True
        )
    return np.where(known, codes, -1)


def _question(
    rung: int | None, given: Sequence[Attribute], family: str, *, minor: bool = False
) -> Question:
    return Question(rung, family, tuple(given), minor=minor)


def _quantile_codes(
    values: NDArray[np.float64], usable: NDArray[np.bool_], parts: int
) -> NDArray[np.int16]:
    """Return the bin of each usable value, -1 elsewhere; equal values share a bin, so there may be fewer.

    A measure with no more distinct values than bins keeps them: grey is yes or no, whatever its quantiles.
    """
    distinct, own = np.unique(values[usable], return_inverse=True)
    codes = np.full(len(values), -1, dtype=np.int16)
    if len(distinct) > parts:
        edges = np.unique(np.quantile(values[usable], np.arange(1, parts) / parts))
        # An edge belongs to the bin below it, so that a heap at the smallest value is a bin of its own.
        _, own = np.unique(
            np.searchsorted(edges, values[usable], side="left"), return_inverse=True
        )
    codes[usable] = own
    return codes
