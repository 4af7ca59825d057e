"""An AuditResult as something rich can print: the verdict first, how it was computed last."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType

from fer_audit.audit.types.result import AuditResult
from fer_audit.progress import Timing
from fer_audit.report.claim_section import claims
from fer_audit.report.cluster_section import clusters
from fer_audit.report.fine_print import duplicates, files_and_labels, how_computed, missing_values
from fer_audit.report.gate_section import gate
from fer_audit.report.intersection_section import combinations
from fer_audit.report.latent_section import latent
from fer_audit.report.origin_section import batches, subset
from fer_audit.report.render.any_encoding import AnyEncoding
from fer_audit.report.replay_section import replay
from fer_audit.report.set_section import who_is_in_it
from fer_audit.report.settings import level
from fer_audit.report.stability_section import stability
from fer_audit.report.style_section import style
from fer_audit.report.verdict_section import banner, further_findings, header, planted, verdict


def terminal_report(result: AuditResult, timings: Sequence[Timing] = ()) -> RenderableType:
    """Return the whole report. It fits any width, needs no colour, and prints in ASCII where the terminal has no more."""
    alpha = result.config.statistics.alpha
    confidence = level(result)
    parts: list[RenderableType] = [
        *banner(result),
        *header(result),
        *verdict(result.findings),
        *gate(result.gate),
        *who_is_in_it(result.representation, result.age_heaping, confidence),
        *combinations(result.intersections),
        *clusters(result, alpha),
        *claims(result, confidence),
        *stability(result.stability, result.clustering, confidence),
        *style(result, alpha, confidence),
        *batches(result.batch_predictions),
        *latent(result.latent, alpha),
        *replay(result, confidence),
        *duplicates(result.duplicates),
        *subset(result.subset_checks, alpha),
        *planted(result.planted),
        *missing_values(result),
        *further_findings(result.findings),
        *files_and_labels(result.dataset),
        *how_computed(result, timings),
        *banner(result),
    ]
    return AnyEncoding(Group(*parts))
