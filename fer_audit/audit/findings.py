"""What a reader who is no statistician should know first.

Findings stand by what they ask of the reader (fix, know, fine), then by their effect, 0..1. Scales differ, so each kind
says what its effect is:

    0.8 + x / 5   what the clusters separate, x = corrected V of the strongest
    0.6 + x / 5   what limits a claim, x = its corrected V; 0.7 + x / 5 between two labels
    0.5 + x / 2   whom a model fails, x = recall below that of the other groups; 0.6 + x / 5 whom it calls something more
                  often, x = the corrected V of the claim
    0.5 + x / 2   a sample that is no fair draw, x = its total variation; parts of a split that share photos or people,
                  x = the share of images concerned
    0.4 + x / 4   groups that are apart, x = neighbours of the own group beyond chance
    0.3 + x / 4   style alone, x = the share of the embedding's strength it has
    0.3 + x / 4   what the best way of training a head gains in F; 0.3 for an erasure
    0.3 + x / 2   groups photographed differently, x = the share of a measure's variance between them; a batch that
                  predicts labels, x = what it gains beyond always saying the largest group
    x             a share of the set (failed images, copies, unread labels), the total variation from the target,
                  a rescaled Whipple index; x / 2 for thin intersections, of which a small set has many
    0.3 - 1.0     fixed: what must be known to read any of the numbers (a crossed rule, who made the labels, the
                  model's caveat, unstable starts)

Association leads, because it carries into trained models more than head-counts do (Biased Heritage 2025,
arXiv 2503.03446). No sentence says why two things are associated: an audit cannot know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fer_audit.audit.analyses import ANALYSES
from fer_audit.audit.types.composition import RejectCount
from fer_audit.audit.types.lists import UNREADABLE
from fer_audit.audit.types.result import AuditResult, Finding, LedgerEntry, Severity
from fer_audit.text import counted, display, listed, measured, part, sentence

UNREAD_TOO_MANY = 0.01
"""Share of the set from which labels that could not be read have to be mended before use."""
_ORDER: dict[Severity, int] = {"fix": 0, "know": 1, "fine": 2}
NOTHING_TO_CLUSTER = 0.8
"""As high as a statement about clusters stands: there is none to be made."""


def find(result: AuditResult) -> tuple[Finding, ...]:
    """Return the findings of a result: what to fix first, then what to know, the largest effect first."""
    found = [finding for analysis in ANALYSES for finding in analysis.findings(result)]
    for about_head in (_about_files, _label_origin, _no_clusters, _planted_missed, _gate):
        found += about_head(result)
    return tuple(
        sorted(found, key=lambda x: (_ORDER[x.severity], -x.effect, x.code, x.attribute or ""))
    )


def _about_files(result: AuditResult) -> Iterator[Finding]:
    facts = result.dataset
    if facts.failed:
        yield Finding(
            code="failed_images",
            severity="fix",
            text=f"{counted(facts.failed, 'image')} could not be used.",
            effect=facts.failed / facts.listed,
            figures=f"{part(facts.failed, facts.listed)}: {_reasons(facts.failures)}",
            do="Replace or remove them.",
            files=UNREADABLE,
            values=(("failed", float(facts.failed)), ("listed", float(facts.listed))),
        )
    if count := sum(each.count for each in facts.rejects):
        share = min(1.0, count / max(facts.listed, 1))
        yield Finding(
            code="unreadable_labels",
            severity="fix" if share >= UNREAD_TOO_MANY else "know",
            text=f"{counted(count, 'label or line', 'labels or lines')} could not be read and {'counts' if count == 1 else 'count'} as not annotated.",
            effect=share,
            figures=f"{_reasons(facts.rejects)}, of {counted(facts.listed, 'image')}",
            do="Correct them where the labels are kept; the section on files names some.",
            values=(("unread", float(count)),),
        )


def _reasons(found: tuple[RejectCount, ...]) -> str:
    return ", ".join(f"{display(each.reason)} {each.count:,}" for each in found)


def _label_origin(result: AuditResult) -> Iterator[Finding]:
    about = [each for each in result.representation if each.kind == "demographic"]
    if not about:
        return
    names = listed([display(each.attribute) for each in about])
    origin = result.dataset.label_source.strip().rstrip(".")
    predicted = [display(each.attribute) for each in about if each.source == "predicted"]
    by_model = f"; a model predicted {listed(predicted)}" if predicted else ""
    text = f"{sentence(names)} {'is a label' if len(about) == 1 else 'are labels'} given by others, not what people say of themselves."
    figures = f"{origin or 'The dataset does not say who made the labels'}{by_model}"
    do = "Write “perceived” or “estimated” before each of them."
    yield Finding("label_origin", "know", text, None, 0.4, figures, do)


def _no_clusters(result: AuditResult) -> Iterator[Finding]:
    for field, reason in result.not_computable:
        text = f"There is no {field}, and so nothing about the latent space."
        do = "Mend what is named and run again."
        yield Finding(f"no_{field}", "fix", text, None, NOTHING_TO_CLUSTER, reason, do)
    if result.model is not None and result.model.caveat:
        do = "Read every number about clusters with it."
        yield Finding("model_caveat", "know", result.model.caveat, None, 0.45, "", do)


def _planted_missed(result: AuditResult) -> Iterator[Finding]:
    missed: Sequence[str] = [
        f"{each.claim}: expected {each.expected}, found {each.found}"
        for each in result.planted
        if not each.agrees
    ]
    if missed:
        text = f"{counted(len(missed), 'planted fact')} of the demo set {'was' if len(missed) == 1 else 'were'} not found."
        do = "Do not trust this installation: run fer-audit doctor."
        values = (("missed", float(len(missed))),)
        yield Finding("planted_missed", "fix", text, None, 1.0, "; ".join(missed), do, "", values)


def _gate(result: AuditResult) -> Iterator[Finding]:
    crossed: Sequence[str] = [
        f"{each.rule} (value {measured(each.value)})"
        for each in result.gate
        if each.crossed and each.value is not None
    ]
    if crossed:
        text = f"{len(crossed)} of {counted(len(result.gate), 'rule')} {'is' if len(crossed) == 1 else 'are'} crossed."
        do = "Mend what the rule is about, or change the rule."
        values = (("crossed", float(len(crossed))),)
        yield Finding("gate_crossed", "fix", text, None, 0.99, "; ".join(crossed), do, "", values)


def collect_ledger(result: AuditResult) -> tuple[LedgerEntry, ...]:
    """Return the entries of every analysis; the cells of a table share one, which says how many they are."""
    return tuple(
        entry for analysis in ANALYSES for entry in analysis.ledger(result.part(analysis.name))
    )
