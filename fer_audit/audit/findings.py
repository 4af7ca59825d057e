"""What a reader who is no statistician should know first.

Findings are ranked by their effect, 0..1. Scales differ, so each kind says what its effect is:

    0.8 + x / 5   what the clusters go together with, x = corrected V of the strongest; 0.8 = with nothing
    0.5 + x / 2   a sample that is no fair draw, x = its total variation
    0.75          how far the claims climb; 0.6 + x / 10 a claim of which less than half is left, x = what is lost
    0.4 + x / 4   groups that lie apart, x = neighbours of the own group beyond chance
    0.3 + x / 4   style alone, x = the share of the embedding's strength it has
    0.3 + x / 2   groups photographed differently, x = the share of a measure's variance between them
    0.3 + x / 2   a batch that gives labels away, x = what it guesses beyond chance
    x             a share of the set (failed images, unread labels), the total variation from the target,
                  a rescaled Whipple index; x / 2 for thin intersections, of which a small set has many
    0.99          a --fail-on rule that is crossed
    0.3 - 0.5     fixed: what must be known to read any of the numbers (who made the labels, the model's
                  caveat, unstable starts, the attributes that are at chance while others are not)

Association leads, because it carries into trained models more than head-counts do (Biased Heritage 2025,
arXiv 2503.03446). No sentence says why two things go together: an audit cannot know.
"""

from __future__ import annotations

from fer_audit.audit.claims.findings import claim_findings
from fer_audit.audit.claims.findings_latent import latent_findings
from fer_audit.audit.composition.findings import set_findings
from fer_audit.audit.space.findings import space_findings
from fer_audit.audit.types.result import AuditResult, Finding


def find(result: AuditResult, *, alpha: float) -> tuple[Finding, ...]:
    """Return the findings of a result, the largest effect first."""
    found = [
        *latent_findings(result, alpha=alpha),
        *claim_findings(result),
        *space_findings(result, alpha=alpha),
        *set_findings(result, alpha=alpha),
    ]
    return tuple(sorted(found, key=lambda each: (-each.effect, each.code, each.attribute or "")))
