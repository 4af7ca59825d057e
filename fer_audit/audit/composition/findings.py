"""Findings about the set: who is in it, and what is wrong with its files and labels."""

from __future__ import annotations

from collections.abc import Iterator

from fer_audit.audit.composition.duplicates import conflicting_names
from fer_audit.audit.types.composition import (
    Cell,
    GroupShare,
    RejectCount,
    Representation,
    SubsetCheck,
)
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.result import AuditResult, Finding, Severity
from fer_audit.text import counted, display, listed, p_phrase, part, percent, sentence

FOUR_FIFTHS = 0.8
"""A group below this ratio to its target is under-represented: the four-fifths rule."""
HEAPED = 110.0
"""Whipple's index up to here is fairly accurate on the UN's scale."""
FAILED_TOO_MANY = 0.01
"""Share of failed images from which a notice becomes a warning."""
GAP = -3.0
"""Adjusted residual from which the largest gap between intersections is worth a sentence."""
NOTHING_TO_CLUSTER = 0.8
"""As high as a statement about clusters stands: there is none to be made."""
NAMED = 3
"""Groups named in a sentence before it says how many more there are."""


def set_findings(result: AuditResult, *, alpha: float) -> Iterator[Finding]:
    """Yield the findings that need no model."""
    for each in result.representation:
        yield from _under_represented(each)
    yield from _thin_intersections(result, alpha)
    yield from _conflicting_copies(result)
    yield from _unfair_draws(result, alpha)
    yield from _heaped_ages(result, alpha)
    yield from _failed_images(result)
    yield from _unreadable_labels(result)
    yield from _label_origin(result)
    yield from _no_clusters(result)


def _under_represented(about: Representation) -> Iterator[Finding]:
    low = [
        group for group in about.groups if group.ratio is not None and group.ratio < FOUR_FIFTHS
    ]
    if about.kind not in ("demographic", "label") or not low:
        return
    low.sort(key=lambda group: (group.ratio or 0.0, group.name))
    named = listed([_describe_group(group, about.annotated) for group in low[:NAMED]])
    more = f", and {len(low) - NAMED} more" if len(low) > NAMED else ""
    aim = "an even share" if about.target.target == "uniform" else "the reference's share"
    yield Finding(
        code="under_represented",
        severity="warning" if (low[0].ratio or 0.0) < FOUR_FIFTHS / 2 else "notice",
        text=(
            f"{counted(len(low), 'group')} of {len(about.groups)} in {display(about.attribute)} "
            f"{'has' if len(low) == 1 else 'have'} less than four fifths of {aim}: {named}{more}."
        ),
        attribute=about.attribute,
        effect=about.target.tv or 0.0,
    )


def _describe_group(group: GroupShare, total: int) -> str:
    if not group.count or group.low is None or group.high is None:
        return f"{group.name} with no image"
    return (
        f"{group.name} with {percent(group.count / total)} ({group.count:,} of {total:,}; "
        f"{100 * group.low:.1f}-{100 * group.high:.1f})"
    )


def _thin_intersections(result: AuditResult, alpha: float) -> Iterator[Finding]:
    table = result.intersections
    if table is None or table.n == 0 or table.empty is None or table.under_30 is None:
        return
    if table.empty + table.under_30 == 0:
        return
    names = " x ".join(display(name) for name in table.attributes)
    thin = table.empty + table.under_30
    largest = "".join(
        f" The largest gap: {', '.join(gap.groups)} with {gap.count:,} where unrelated attributes "
        f"would give {gap.expected:,.0f}."
        for gap in table.largest_gaps[:1]
        if gap.residual is not None and gap.residual <= GAP
    )
    reach = [cell for cell in table.smallest if cell.more_images and cell.count < TOO_FEW]
    rarest = max(reach, key=lambda cell: cell.more_images or 0) if reach else None
    more = (
        f" {', '.join(rarest.groups)} ({rarest.count:,}) would need about {rarest.more_images:,} more images "
        f"drawn like these to reach {TOO_FEW}."
        if rarest is not None
        else ""
    )
    beyond = "".join(
        f" Furthest from what pairs of attributes give, where {TOO_FEW} images are or would be: "
        f"{', '.join(cell.groups)} with {cell.count:,} instead of {cell.expected_pairs or 0.0:,.0f} (adjusted residual {cell.residual_pairs or 0.0:+.1f}, "
        f"{p_phrase(cell.p_adjusted or 0.0)} after Benjamini-Hochberg)."
        for cell in [each for each in table.beyond_pairs if _large_enough(each)][:1]
        if cell.p_adjusted is not None and cell.p_adjusted <= alpha
    )
    yield Finding(
        code="thin_intersections",
        severity="notice",
        text=(
            f"Of {table.cells:,} intersections of {names}, {table.empty:,} have no image and "
            f"{table.under_30:,} have 1 to 29 ({table.n:,} images).{largest}{beyond}{more}"
        ),
        effect=thin / table.cells / 2,
    )


def _large_enough(cell: Cell) -> bool:
    return max(cell.count, cell.expected_pairs or 0.0) >= TOO_FEW


def _conflicting_copies(result: AuditResult) -> Iterator[Finding]:
    copies = result.duplicates
    if not copies.groups:
        return
    conflicts = conflicting_names(copies)
    used = (
        f"{copies.left_out:,} copies are left out of the tests"
        if copies.left_out
        else "all are tested"
    )
    text = f"{counted(copies.groups, 'group')} of byte-identical files ({copies.files:,} files); {used}."
    if conflicts:
        named = listed([f"{display(each.name)} in {each.count:,}" for each in conflicts])
        text += f" Copies of one image carry different labels: {named} of the groups."
    worst = conflicts[0].count / copies.groups if conflicts else 0.0
    yield Finding(
        code="conflicting_copies" if conflicts else "duplicates",
        severity="warning" if conflicts else "notice",
        text=sentence(text),
        # Copies are one face labelled twice: the rate says how far labels can be trusted, but rests on few.
        effect=max(copies.files / max(result.dataset.listed, 1), min(0.5, worst) / 2),
    )


def _unfair_draws(result: AuditResult, alpha: float) -> Iterator[Finding]:
    failed = [each for each in result.subset_checks if each.p is not None and each.p <= alpha]
    failed.sort(key=lambda each: -(each.tv or 0.0))
    for reference in dict.fromkeys(each.reference for each in failed):
        checks = [each for each in failed if each.reference == reference]
        named = "; ".join(_describe_draw(each) for each in checks)
        yield Finding(
            code="unfair_draw",
            severity="warning",
            text=f"These images are no fair draw of {reference}: {named}.",
            attribute=checks[0].attribute,
            effect=0.5 + (checks[0].tv or 0.0) / 2,
        )


def _describe_draw(check: SubsetCheck) -> str:
    worst = check.worst
    furthest = (
        f", furthest off {worst.name} with {part(worst.count, check.n)} against {percent(worst.reference_share)}"
        if worst
        else ""
    )
    return (
        f"in {display(check.attribute)}, {percent(check.tv or 0.0)} of {check.n:,} would have to change "
        f"group (Monte-Carlo {p_phrase(check.p or 0.0)}){furthest}"
    )


def _heaped_ages(result: AuditResult, alpha: float) -> Iterator[Finding]:
    ages = result.age_heaping
    if ages is None or ages.whipple is None or ages.whipple < HEAPED:
        return
    tests = [entry for entry in result.ledger if entry.family == "age heaping"]
    if not tests or tests[0].p > alpha:
        return
    hits = round(ages.whipple * ages.n / 500)
    yield Finding(
        code="age_heaping",
        severity="notice",
        text=(
            f"Ages are rounded: {part(hits, ages.n)} of the ages 23 to 62 end in 0 or 5 where 20 % would "
            f"(Whipple's index {ages.whipple:.1f}; 100 is none)."
        ),
        attribute="age",
        effect=min(1.0, (ages.whipple - 100) / 400),
    )


def _failed_images(result: AuditResult) -> Iterator[Finding]:
    facts = result.dataset
    if facts.failed:
        share = facts.failed / facts.listed
        severity: Severity = "warning" if share >= FAILED_TOO_MANY else "notice"
        text = f"{part(facts.failed, facts.listed)} images could not be used: {_reasons(facts.failures)}."
        yield Finding("failed_images", severity, text, effect=share)


def _unreadable_labels(result: AuditResult) -> Iterator[Finding]:
    facts = result.dataset
    if count := sum(each.count for each in facts.rejects):
        text = (
            f"{counted(count, 'label')} or lines could not be read and count as not annotated "
            f"({facts.listed:,} images listed): {_reasons(facts.rejects)}."
        )
        yield Finding(
            "unreadable_labels", "notice", text, effect=min(1.0, count / max(facts.listed, 1))
        )


def _reasons(found: tuple[RejectCount, ...]) -> str:
    return listed([f"{display(each.reason)} ({each.count:,})" for each in found])


def _label_origin(result: AuditResult) -> Iterator[Finding]:
    about = [each for each in result.representation if each.kind == "demographic"]
    if not about:
        return
    names = listed([display(each.attribute) for each in about])
    origin = result.dataset.label_source.strip().rstrip(".")
    predicted = [display(each.attribute) for each in about if each.source == "predicted"]
    by_model = f" A model predicted {listed(predicted)}." if predicted else ""
    yield Finding(
        code="label_origin",
        severity="info",
        text=(
            f"{sentence(names)} are labels that somebody or something gave, not what people say of themselves. "
            f"{origin or 'The dataset does not say who made the labels'}.{by_model}"
        ),
        effect=0.4,
    )


def _no_clusters(result: AuditResult) -> Iterator[Finding]:
    for field, reason in result.not_computable:
        yield Finding(
            code=f"no_{field}",
            severity="warning",
            text=f"No {field}, and so nothing about the latent space: {reason}.",
            effect=NOTHING_TO_CLUSTER,
        )
