"""Who is in the set: the groups of one attribute, how evenly it is spread over them, and the ages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.goodness_of_fit import ratio_interval, target_distance, wilson_interval
from fer_audit.audit.stats.information import entropy
from fer_audit.audit.stats.tables import Counts, Floats, Mask, or_none
from fer_audit.audit.types.composition import (
    FOUR_FIFTHS,
    AgeHeaping,
    GroupShare,
    Indices,
    Representation,
)
from fer_audit.audit.types.not_computable import because
from fer_audit.audit.types.result import AuditResult, Finding, LedgerEntry
from fer_audit.audit.types.targets import has_target, is_under
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng
from fer_audit.text import display, listed, number, part, percent, percent_span, rounded_percent

_FIELDS = ("ENS", "D", "inverse_D", "H", "SEI", "NSD", "IR", "BP")


def diversity_indices(counts: Counts) -> Indices:
    """Return the indices of (g,) counts over the observed groups; a group without images is no group."""
    seen = counts[counts > 0]
    k = len(seen)
    if k == 0:
        reason = "no image is annotated"
        return Indices(
            R=0, **dict.fromkeys(_FIELDS), not_computable=tuple((name, reason) for name in _FIELDS)
        )
    p = seen / seen.sum()
    h = entropy(seen)
    d = float(np.sum(p * p))
    return Indices(
        R=k,
        ENS=float(np.exp(h)),
        D=d,
        inverse_D=1 / d,
        H=h,
        SEI=h / float(np.log(k)) if k > 1 else None,
        NSD=float(np.std(p) * k / np.sqrt(k - 1)) if k > 1 else None,
        IR=float(seen.max() / seen.min()),
        BP=float(p.max()),
        not_computable=because("" if k > 1 else "only one group is observed", "SEI", "NSD"),
    )


NAMED = 3
"""Groups named in a sentence before it says how many more there are."""
HEAPING = "age heaping"
"""Its family in the ledger."""
HEAPED = 110.0
"""Whipple's index up to here is fairly accurate on the UN's scale."""
HEAPED_AGES = (23, 62)
"""Whipple's range: whole tens of years around the ages people round, childhood and old age left out."""


def represent(
    attribute: Attribute,
    *,
    tested: Mask,
    reference: Mapping[str, int] | None,
    draws: int,
    confidence: float,
    rng: np.random.Generator,
) -> Representation:
    """Return who is in the set, for one attribute.

    Shares, indices and distances describe every listed row, also of images that failed; the test of
    fit uses the rows in `tested`, one copy of each image. The target is `reference` (counts by group)
    if there is one, else an even share for every category, also those without an image. Groups that
    only the reference has become rows with no image.
    """
    names = tuple(dict.fromkeys((*attribute.categories, *(reference or ()))))
    counts = _group_counts(attribute.codes, len(names))
    shares = target_shares(names, reference)
    no_aim = reference is None and attribute.kind in ("batch", "split", "style")
    target = target_distance(
        counts,
        shares,
        target="uniform" if reference is None else "reference",
        tested=_group_counts(attribute.codes[tested], len(names)),
        untested=f"even shares are no aim for a {attribute.kind} attribute" if no_aim else "",
        draws=draws,
        rng=rng,
    )
    annotated = int(counts.sum())
    return Representation(
        attribute=attribute.name,
        kind=attribute.kind,
        source=attribute.source,
        annotated=annotated,
        not_annotated=len(attribute.codes) - annotated,
        groups=tuple(_group_shares(names, counts, shares, confidence=confidence)),
        indices=diversity_indices(counts),
        target=target,
    )


def target_shares(names: tuple[str, ...], reference: Mapping[str, int] | None) -> Floats:
    """Return the (g,) shares the target wants: even ones without a reference."""
    if reference is None:
        return np.full(len(names), 1 / max(len(names), 1))
    counts = np.array([reference.get(name, 0) for name in names], dtype=np.float64)
    return np.asarray(counts / max(counts.sum(), 1.0))


def age_heaping(ages: NDArray[np.int16]) -> AgeHeaping:
    """Return Whipple's index of (n,) ages in years, -1 = not annotated.

    500 times the share of ages 23 to 62 that end in 0 or 5: 100 = no preference, 500 = nothing else.
    UN, Methods of Appraisal of Quality of Basic Data, Manual II (1955).
    """
    low, high = HEAPED_AGES
    counted = ages[(ages >= low) & (ages <= high)]
    if len(counted) == 0:
        reason = f"no image has an age of {low} to {high}"
        return AgeHeaping(whipple=None, n=0, not_computable=because(reason, "whipple"))
    return AgeHeaping(whipple=float(500 * np.mean(counted % 5 == 0)), n=len(counted))


def _group_counts(codes: NDArray[np.int16], n_groups: int) -> Counts:
    return np.bincount(codes[codes >= 0], minlength=n_groups)


def _group_shares(
    names: tuple[str, ...], counts: Counts, target: Floats, *, confidence: float
) -> Iterator[GroupShare]:
    total = int(counts.sum())
    if total == 0:
        fields = ("share", "low", "high", "ratio", "ratio_low", "ratio_high")
        missing = because("no image is annotated", *fields)
        yield from (GroupShare(name, 0, not_computable=missing) for name in names)
        return
    ends = wilson_interval(counts, total, confidence=confidence)
    ratios = ratio_interval(counts, total, target, confidence=confidence)
    for name, count, low, high, *three in zip(names, counts.tolist(), *ends, *ratios, strict=True):
        ratio, ratio_low, ratio_high = map(or_none, three)
        missing = ()
        if ratio is None:
            reason = "the target has none of this group"
            missing = because(reason, "ratio", "ratio_low", "ratio_high")
        elif ratio_low is None:
            missing = because("a ratio of 0 has no log-interval", "ratio_low", "ratio_high")
        shares = (count / total, float(low), float(high), ratio, ratio_low, ratio_high)
        yield GroupShare(name, count, *shares, not_computable=missing)


def _under_represented(about: Representation) -> Iterator[Finding]:
    low = [
        group for group in about.groups if group.ratio is not None and group.ratio < FOUR_FIFTHS
    ]
    if about.kind not in ("demographic", "label") or not has_target(about) or not low:
        return
    low.sort(key=lambda group: (not is_under(group), group.ratio or 0.0, group.name))
    even = about.target.target == "uniform"
    aim = "an equal share" if even else "their share in the reference"
    under = [group for group in low if is_under(group)]
    shown = under or low
    verb = "may have" if not under else "has" if len(under) == 1 else "have"
    more = len(shown) - NAMED
    names = listed(
        [*(each.name for each in shown[:NAMED]), *([f"{more} more"] if more > 0 else [])]
    )
    told = ", ".join(_describe_group(group, about.annotated) for group in low[:NAMED])
    rest = [each.name for each in low[len(under) :]] if under else []
    maybe = f"; {listed(rest[:NAMED])} may have too" if rest else ""
    equal = f"; equal is {percent(1 / len(about.groups))}" if even else ""
    text = f"{names} ({display(about.attribute)}) {verb} fewer than 80 % of {aim}."
    attribute = about.attribute
    effect = about.target.tv or 0.0
    figures = f"{told} by image{equal}{maybe}"
    do = "Report results for these groups separately, or collect more of their images."
    values = tuple((group.name, (group.count or 0) / about.annotated) for group in low)
    yield Finding("under_represented", "know", text, attribute, effect, figures, do, "", values)


def _describe_group(group: GroupShare, total: int) -> str:
    if not group.count or group.low is None or group.high is None:
        return f"{group.name} no image"
    return f"{group.name} {percent(group.count / total)} ({percent_span(group.low, group.high)})"


def _representation_ledger(found: Sequence[Representation]) -> Iterator[LedgerEntry]:
    for each in found:
        if each.target.p is not None:
            subject = f"{each.attribute} against {each.target.target}"
            method = "Pearson's chi-squared, multinomial draws"
            yield LedgerEntry("goodness of fit", subject, method, each.target.p)


def _heaped_ages(result: AuditResult) -> Iterator[Finding]:
    ages = result.age_heaping
    if ages is None or ages.whipple is None or ages.whipple < HEAPED:
        return
    tests = [entry for entry in result.ledger if entry.family == HEAPING]
    if not tests or tests[0].p > result.config.statistics.alpha:
        return
    hits = round(ages.whipple * ages.n / 500)
    text = f"Ages ending in 0 or 5 are over-represented: {rounded_percent(hits / ages.n)} where 20 % would be even."
    effect = min(1.0, (ages.whipple - 100) / 400)
    figures = f"{part(hits, ages.n)} of ages 23 to 62; Whipple's index {number(ages.whipple, 1)}, 100 is none"
    do = "Use age groups, not single years."
    values = (("whipple", ages.whipple), ("share", hits / ages.n))
    yield Finding("age_heaping", "know", text, "age", effect, figures, do, "", values)


def _heaping_ledger(ages: AgeHeaping | None) -> Iterator[LedgerEntry]:
    from scipy.stats import binomtest  # 0.9 s that a warm rerun would wait for

    if ages is None or ages.whipple is None:
        return
    hits = round(ages.whipple * ages.n / 500)
    method = "exact one-sided binomial against 20 %"
    p = float(binomtest(hits, ages.n, 0.2, alternative="greater").pvalue)
    yield LedgerEntry(HEAPING, "ages 23 to 62 that end in 0 or 5", method, p)


def _represent(inputs: AuditInputs, attribute: Attribute) -> Representation:
    settings = inputs.config.statistics
    return represent(
        attribute,
        tested=inputs.listed_once,
        reference=inputs.reference.get(attribute.name),
        draws=settings.permutations,
        confidence=settings.confidence,
        rng=stage_rng(inputs.config.seed, "audit", "target", attribute.name),
    )


REPRESENTATION = Analysis(
    name="representation",
    record=Representation,
    run=_represent,
    subjects=lambda inputs: [(each,) for each in inputs.compared],
    needs=("listed_once",),
    settings=("reference", "permutations", "confidence"),
    findings=lambda result: chain.from_iterable(map(_under_represented, result.representation)),
    ledger=_representation_ledger,
)
AGE_HEAPING = Analysis(
    name="age_heaping",
    record=AgeHeaping | None,
    run=lambda inputs: None if inputs.dataset.ages is None else age_heaping(inputs.dataset.ages),
    findings=_heaped_ages,
    ledger=_heaping_ledger,
)
