"""What a reader who is no statistician should know first.

Findings are ranked by their effect, 0..1. Scales differ, so each kind says what its effect is:

    0.8 + x / 5   what the clusters separate, x = corrected V of the strongest; 0.8 = with nothing
    0.5 + x / 2   a sample that is no fair draw, x = its total variation
    0.75          how far the claims climb; 0.6 + x / 10 a claim of which less than half is left, x = what is lost
    0.4 + x / 4   groups that are apart, x = neighbours of the own group beyond chance
    0.3 + x / 4   style alone, x = the share of the embedding's strength it has
    0.3 + x / 2   groups photographed differently, x = the share of a measure's variance between them
    0.5 + x / 2   parts of the set that share photos or people, x = the share of images concerned
    0.3 + x / 2   a batch that gives labels away, x = what it guesses beyond chance
    x             a share of the set (failed images, unread labels), the total variation from the target,
                  a rescaled Whipple index; x / 2 for thin intersections, of which a small set has many
    0.99          a --fail-on rule that is crossed
    0.3 - 0.5     fixed: what must be known to read any of the numbers (who made the labels, the model's
                  caveat, unstable starts, the attributes that are at chance while others are not)

Association leads, because it carries into trained models more than head-counts do (Biased Heritage 2025,
arXiv 2503.03446). No sentence says why two things are associated: an audit cannot know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fer_audit.audit.analyses import ANALYSES
from fer_audit.audit.types.composition import RejectCount
from fer_audit.audit.types.result import AuditResult, Finding, Severity
from fer_audit.text import counted, display, listed, measured, part, sentence

FAILED_TOO_MANY = 0.01
"""Share of failed images from which a notice becomes a warning."""
NOTHING_TO_CLUSTER = 0.8
"""As high as a statement about clusters stands: there is none to be made."""


def find(result: AuditResult) -> tuple[Finding, ...]:
    """Return the findings of a result, the largest effect first."""
    found = [finding for analysis in ANALYSES for finding in analysis.findings(result)]
    for about_head in (
        _failed_images,
        _unreadable_labels,
        _label_origin,
        _no_clusters,
        _model_caveat,
        _planted_missed,
        _gate,
    ):
        found += about_head(result)
    return tuple(sorted(found, key=lambda each: (-each.effect, each.code, each.attribute or "")))


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


def _model_caveat(result: AuditResult) -> Iterator[Finding]:
    if result.model is not None and result.model.caveat:
        yield Finding("model_caveat", "notice", result.model.caveat, effect=0.45)


def _planted_missed(result: AuditResult) -> Iterator[Finding]:
    missed: Sequence[str] = [
        f"{each.claim}: expected {each.expected}, found {each.found}"
        for each in result.planted
        if not each.agrees
    ]
    if missed:
        text = f"{counted(len(missed), 'planted fact')} of the demo set not found: {'; '.join(missed)}."
        yield Finding("planted_missed", "warning", sentence(text), effect=1.0)


def _gate(result: AuditResult) -> Iterator[Finding]:
    crossed: Sequence[str] = [
        f"{each.rule} (value {measured(each.value)})"
        for each in result.gate
        if each.crossed and each.value is not None
    ]
    if crossed:
        yield Finding(
            code="gate_crossed",
            severity="warning",
            text=sentence(
                f"{len(crossed)} of {counted(len(result.gate), 'rule')} {'is' if len(crossed) == 1 else 'are'} "
                f"crossed: {'; '.join(crossed)}."
            ),
            effect=0.99,
        )
