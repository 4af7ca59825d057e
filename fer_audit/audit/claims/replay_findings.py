"""What small studies and published tables say, in words and in the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fer_audit.audit.types.replay import PublishedValue, Replay, ReplayAttribute
from fer_audit.audit.types.result import NO_CORRECTION, AuditResult, Finding, LedgerEntry
from fer_audit.text import about, coefficient, counted, display, percent, span

SHAKY = 0.05
"""Share of small studies with another headline from which it is worth a sentence."""


def replay_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield how often small studies would say something else."""
    if result.replay is None:
        return
    size, studies = result.replay.size, result.replay.studies
    for each in result.replay.attributes:
        told = list(_other_headlines(each))
        if not told or each.v is None or each.v_low is None or each.v_high is None:
            continue
        share, words = max(told)
        yield Finding(
            code="small_studies",
            severity="know",
            text=f"With {size:,} images, {about(share)} of all studies {words}.",
            attribute=each.attribute,
            effect=0.45,
            figures=(
                f"{percent(share)} of {counted(studies, 'random sample')}; {display(each.attribute)} V {coefficient(each.v)} on average"
                f" ({span(each.v_low, each.v_high)}), corrected {coefficient(each.v_corrected)}; the whole set's corrected V"
                f" {coefficient(each.v_full)}"
            ),
            do=f"Quote a study of {size:,} images with its interval.",
            values=(("share", share), ("v", each.v)),
        )


def _other_headlines(each: ReplayAttribute) -> Iterator[tuple[float, str]]:
    """Yield the share of small studies that say something else than the whole set, and what."""
    name = display(each.attribute)
    if (each.other_largest or 0.0) >= SHAKY:
        yield each.other_largest or 0.0, f"name another largest group of {name}"
    if (each.other_under_represented or 0.0) >= SHAKY:
        yield (
            each.other_under_represented or 0.0,
            f"would name other under-represented groups of {name}",
        )
    if each.called_different is not None and each.full_called_different is not None:
        wrong = 1 - each.called_different if each.full_called_different else each.called_different
        if wrong >= SHAKY:
            verb = "find no" if each.full_called_different else "find a"
            does = "does" if each.full_called_different else "does not"
            yield wrong, f"{verb} difference between clusters in {name} where the whole set {does}"


def recluster_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield the interval of V when clusters are estimated too."""
    found = [each for each in result.recluster if each.v_corrected is not None]
    if found:
        told = ", ".join(
            f"{display(each.attribute)} {coefficient(each.v_corrected)} ({span(each.low, each.high)})"
            for each in found
        )
        yield Finding(
            code="reclustered",
            severity="fine",
            text=f"Clustering {counted(found[0].resamples, 'resample')} again gives intervals that hold for the clusters too.",
            effect=0.3,
            figures=f"strength {told}; intervals elsewhere hold the clusters fixed",
            do="Nothing; quote these where the clusters themselves are in question.",
            values=tuple((each.attribute, each.v_corrected or 0.0) for each in found),
        )


def replay_ledger(found: Replay | None) -> Iterator[LedgerEntry]:
    """Yield one entry for the studies of each attribute."""
    for each in () if found is None else found.attributes:
        if each.least_p is not None:
            yield LedgerEntry(
                family="small studies",
                subject=f"{each.attribute} x cluster, smallest of {counted(each.studies, 'study', 'studies')}",
                method="Pearson's chi-squared, asymptotic",
                p=each.least_p,
                p_corrected=None,
                correction=NO_CORRECTION,
                tests=each.studies,
            )


def published_ledger(values: Sequence[PublishedValue]) -> Iterator[LedgerEntry]:
    """Yield one entry for each published table."""
    for each in values:
        yield LedgerEntry(
            family="published table",
            subject=f"{each.attribute} x cluster",
            method="Pearson's chi-squared, asymptotic",
            p=each.p,
            p_corrected=None,
            correction=NO_CORRECTION,
        )
