"""How sure the short report is: other seeds, other k, who made the labels, what could not be computed."""

from __future__ import annotations

from fer_audit.audit.types.claim import CLUSTER, SAYS
from fer_audit.audit.types.not_computable import BECAUSE_WITHHELD
from fer_audit.audit.types.stability import AGREE
from fer_audit.report.blocks import Prose, Section
from fer_audit.report.not_computable import missing_values
from fer_audit.report.sections.found import N_CLAIMS, NAME
from fer_audit.report.sections.values import spoken
from fer_audit.report.view import View
from fer_audit.text import clipped, coefficient, counted, listed, span


def how_sure(view: View) -> Section | None:
    """Return whether other seeds agree, who chose k, who made the labels, and what another collection would draw."""
    result, stable = view.result, view.result.stability
    lines: list[str] = []
    if stable is not None and stable.ari_median is not None:
        agree = "agree" if stable.ari_median >= AGREE else "do not agree"
        least = stable.ari_min is not None and stable.ari_min < 0.9
        worst = f", least {coefficient(stable.ari_min)}" if least else ""
        lines.append(f"Other seeds {agree} (median ARI {coefficient(stable.ari_median)}{worst}).")
    if result.clustering is not None:
        how = (
            "chosen from the data" if result.clustering.votes else "set, not chosen from the data"
        )
        lines.append(f"k = {result.clustering.k} was {how}{_other_k(view)}.")
    if view.unstable:
        shown = [str(each) for each in sorted(view.unstable)]
        more = len(shown) - N_CLAIMS
        names = [*shown[:N_CLAIMS], *([f"{more} more"] if more > 0 else [])]
        lines.append(f"Clusters that do not come back in resamples: {listed(names)}.")
    if any(not each.drawn for each in result.claims):
        lines.append("How another collection would differ is not known.")
    reasons = (x for x in missing_values(result) if not x.reason.startswith(BECAUSE_WITHHELD))
    if missing := sum(len(each.fields) for each in reasons):
        lines.append(
            f"{counted(missing, 'value')} could not be computed; the section on method says why."
        )
    who = clipped(result.dataset.label_source, 150)
    blocks = [Prose(" ".join(lines), "summary")] if lines else []
    blocks += [Prose(who, "summary")] if who else []
    return Section("sure", "How sure is this?", tuple(blocks)) if blocks else None


def _other_k(view: View) -> str:
    """Return between which ends the strength of each claim lies with another k."""
    stable = view.result.stability
    shown = {x.attribute for x in view.result.claims if x.of == CLUSTER and x.strength in SAYS}
    told = []
    for each in () if stable is None else stable.attributes:
        values = [variant.v_corrected for variant in each.ks if variant.k > 1]
        if each.attribute in shown and len(values) > 1:
            ends = span(min(values), max(values), digits=2)
            told.append(f"{spoken(each.attribute, NAME)} {ends}")
    ks = sorted(
        {v.k for each in (stable.attributes if stable else ()) for v in each.ks if v.k > 1}
    )
    return f"; with k = {ks[0]} to {ks[-1]}: {', '.join(told[:3])}" if told else ""
