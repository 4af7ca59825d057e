"""What a claim is asked to survive: the columns held fixed at rungs 4 to 6, and those a user names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.propensity import enough_for_propensity, propensity_cells
from fer_audit.audit.stats.tables import Counts, Floats, Mask
from fer_audit.audit.units import LEAST_UNITS
from fer_audit.config import ANY_LABEL, StatisticsSettings
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.errors import ConfigError
from fer_audit.pack.types import STYLE_NAMES, PackRows
from fer_audit.rng import stage_rng

STYLE_JOINT = ("luma_mean", "saturation", "sharpness")
"""Light, colour and focus: held fixed together, in thirds, 27 strata."""
STYLE_PARTS = 3
"""Bins of each measure where three are held fixed together."""
MEASURE_PARTS = 10
"""Bins of a measure that is held fixed alone."""
MOST_SIZES = 50
"""Distinct image sizes up to which each is a batch of its own; beyond, tenths by number of pixels."""
LEAST_IN_STRATUM = 20
"""Mean rows of a stratum from which ages are held fixed in years. Two rows that differ in both labels are perfectly
associated however they are shuffled: in tiny strata almost nothing is distinguishable from chance."""
IMAGE_SIZE = "image_size"
STYLE = "style"


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Is the association still there among images that are alike in these columns?"""

    rung: int | None
    """None = asked for by the user."""
    family: str
    """Its name; the same for every attribute."""
    columns: tuple[Attribute, ...]
    detail: bool = False
    """Shown, but decides nothing and is not tested."""
    headline: bool = False
    """The comparison that a claim is summed up by, among those of its rung."""
    from_style: bool = False
    """Held fixed is how likely the style of an image makes each group: `style_propensity`; there are no columns."""

    @property
    def given(self) -> tuple[str, ...]:
        """Names of the columns held fixed."""
        return (STYLE,) if self.from_style else tuple(each.name for each in self.columns)

    def held_fixed(self, attribute: Attribute, inputs: AuditInputs) -> tuple[Attribute, ...]:
        """Return the columns, that of a model of style made when it is first needed."""
        return (_style_propensity(attribute, inputs),) if self.from_style else self.columns


def _what_can_be_given(inputs: AuditInputs) -> tuple[list[Attribute], ...]:
    """Return what claims can be asked to survive: batch columns, style measures in bins, and three of these in fewer."""
    rows, tested = inputs.rows, inputs.tested
    batches = [x for x in inputs.once(batch_columns) if np.count_nonzero(x.counts()) > 1]
    style = style_bins(rows, tested, STYLE_NAMES, parts=MEASURE_PARTS)
    return batches, style, style_bins(rows, tested, STYLE_JOINT, parts=STYLE_PARTS)


def questions_for(of: Attribute, attribute: Attribute, inputs: AuditInputs) -> Iterator[Question]:
    """Yield the questions to the claim that `of` and an attribute are associated, in the order of the rungs."""
    batches, style, joint_style = inputs.once(_what_can_be_given)
    claimed = (of.name, attribute.name, attribute.mapped_from)
    others = [each for each in inputs.people if not (each.mapped_from or each.name in claimed)]
    if others:
        exact = [_exact_age(each, inputs.dataset) for each in others]
        finest = exact if _rows_a_stratum(exact, inputs.tested) >= LEAST_IN_STRATUM else others
        yield Question(4, "other attributes", tuple(finest), headline=True)
    labelled = attribute.codes[inputs.tested & (attribute.codes >= 0)]
    if style and enough_for_propensity(labelled, len(inputs.people)):
        yield Question(5, STYLE, (), headline=True, from_style=True)
    elif joint_style:
        yield Question(5, STYLE, tuple(joint_style), headline=True)
    for measure in style:
        yield Question(5, measure.name, (measure,), detail=True)
    level = headline_batch(batches)
    for batch in batches:
        yield Question(6, batch.name, (batch,), headline=batch is level)
    known = {each.name: each for each in (*inputs.dataset.attributes, *batches, *style)}
    for names in inputs.config.statistics.given:
        if not set(claimed) & set(names) and all(name in known for name in names):
            columns = tuple(known[name] for name in names)
            yield Question(None, " x ".join(names), columns)


def headline_batch(batches: Sequence[Attribute]) -> Attribute | None:
    """Return the coarsest batch column of at least 30 parts, else the finest; the size of an image only if alone.

    The level must not move with n.
    """
    declared = [each for each in batches if each.name != IMAGE_SIZE] or list(batches)
    sizes = {each.name: int(np.count_nonzero(each.counts())) for each in declared}
    enough = [each for each in declared if sizes[each.name] >= LEAST_UNITS]
    if enough:
        return min(enough, key=lambda each: sizes[each.name])
    return max(declared, key=lambda each: sizes[each.name], default=None)


def _style_propensity(attribute: Attribute, inputs: AuditInputs) -> Attribute:
    """Return cells of images whose style makes the same groups likely."""
    made = inputs.once(_made_propensities)
    if attribute.name not in made:
        labelled = inputs.tested & (attribute.codes >= 0)
        people = inputs.units.people(len(labelled))[labelled]
        rng = stage_rng(inputs.config.seed, "audit", "propensity", attribute.name)
        style = inputs.rows.style[labelled]
        codes = np.full(len(labelled), -1, dtype=np.int16)
        codes[labelled] = propensity_cells(style, attribute.codes[labelled], people, rng)
        labels = tuple(f"style {cell + 1}" for cell in range(int(codes.max()) + 1))
        made[attribute.name] = Attribute(STYLE, labels, codes, "style")
    return made[attribute.name]


def _made_propensities(inputs: AuditInputs) -> dict[str, Attribute]:
    """Return where they are kept: a model is fitted for seconds."""
    return {}


def _rows_a_stratum(columns: Sequence[Attribute], tested: Mask) -> float:
    found = combined(columns)[tested]
    found = found[found >= 0]
    return len(found) / max(1, len(np.unique(found)))


def _exact_age(attribute: Attribute, dataset: FaceDataset) -> Attribute:
    """Return ages in years in the place of age groups, where they are known: people of one group differ in age, too."""
    if dataset.ages is None or attribute.name != "age_bin":
        return attribute
    years = tuple(str(age) for age in range(int(dataset.ages.max(initial=0)) + 1))
    return Attribute("age", years, dataset.ages, attribute.kind)


def refuse_unknown_columns(dataset: FaceDataset, settings: StatisticsSettings) -> None:
    """Raise ConfigError where --given, --what-if or --mitigate names a column that the set does not have."""
    names = {each.name for each in dataset.attributes} | {IMAGE_SIZE, *STYLE_NAMES}
    for name in (each for given in settings.given for each in given):
        if name not in names:
            raise ConfigError(
                f"--given names {name!r}, which is no column of {dataset.name}",
                hint=f"Choose from: {', '.join(sorted(names))}",
            )
    people = [each.name for each in dataset.attributes if each.kind in ("demographic", "label")]
    if settings.mitigate and all(each.kind != "demographic" for each in dataset.attributes):
        raise ConfigError(
            f"--mitigate compares groups of people, and {dataset.name} has no attribute of people",
            hint="Name one with --group, or leave --mitigate out.",
        )
    if settings.mitigate == ANY_LABEL and all(each.kind != "label" for each in dataset.attributes):
        raise ConfigError(
            f"--mitigate needs a label column, and {dataset.name} has none",
            hint=f"Name what the heads are to answer: --mitigate {people[0] if people else 'COLUMN'}",
        )
    asked = [("--what-if", name) for name in settings.what_if]
    asked += [("--mitigate", settings.mitigate)] * (settings.mitigate not in ("", ANY_LABEL))
    for flag, name in asked:
        if name not in people:
            raise ConfigError(
                f"{flag} names {name!r}, which is no attribute of people or label of {dataset.name}",
                hint=f"Choose from: {', '.join(people) or 'none, it has no such columns'}",
            )


def style_bins(
    rows: PackRows, usable: Mask, names: Sequence[str], *, parts: int
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


def combined(attributes: Sequence[Attribute]) -> Counts:
    """Return the (n,) code of each combination that occurs, -1 where one column is not annotated."""
    known = np.all([each.codes >= 0 for each in attributes], axis=0)
    codes = np.zeros(len(known), dtype=np.int64)
    for each in attributes:
        # Numbered again at each step, so that many columns cannot leave int64.
        _, codes = np.unique(
            codes * (len(each.categories) + 1) + each.codes + 1, return_inverse=True
        )
    return np.where(known, codes, -1)


def _quantile_codes(values: Floats, usable: Mask, parts: int) -> NDArray[np.int16]:
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
