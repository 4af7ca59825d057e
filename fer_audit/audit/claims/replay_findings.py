"""What small studies and published tables say, in words and in the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fer_audit.audit.types.replay import PublishedValue, Replay, ReplayAttribute
from fer_audit.audit.types.result import NO_CORRECTION, AuditResult, Finding, LedgerEntry
from fer_audit.text import coefficient, counted, display, listed, percent, span

SHAKY = 0.05
"""Share of small studies with another headline from which it is worth a sentence."""


def replay_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield how often small studies would say something else."""
    if result.replay is None:
        return
    size = f"{counted(result.replay.studies, 'random study', 'random studies')} of {result.replay.size:,} images"
    for each in result.replay.attributes:
        told = list(_other_headlines(each))
        if not told or each.v is None or each.v_low is None or each.v_high is None:
            continue
        yield Finding(
            code="small_studies",
            severity="notice",
            text=(
                f"Of {size} drawn from this set, {listed(told)}; their V for {display(each.attribute)} is "
                f"{coefficient(each.v)} on average ({span(each.v_low, each.v_high)}), corrected "
                f"{coefficient(each.v_corrected)}, the whole set's corrected V {coefficient(each.v_full)}."
            ),
            attribute=each.attribute,
            effect=0.45,
        )


def _other_headlines(each: ReplayAttribute) -> Iterator[str]:
    name = display(each.attribute)
    if (each.other_largest or 0.0) >= SHAKY:
        yield f"{percent(each.other_largest or 0.0)} name another largest group of {name}"
    if (each.other_under_represented or 0.0) >= SHAKY:
        yield (
            f"{percent(each.other_under_represented or 0.0)} call other groups of {name} "
            "under-represented than the whole set (shares near the threshold tip over)"
        )
    if each.called_different is not None and each.full_called_different is not None:
        wrong = 1 - each.called_different if each.full_called_different else each.called_different
        if wrong >= SHAKY:
            verb = "find no" if each.full_called_different else "find a"
            yield (
                f"{percent(wrong)} {verb} difference between clusters in {name} where the whole set "
                f"{'does' if each.full_called_different else 'does not'}"
            )


def recluster_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield the interval of V when clusters are estimated too."""
    told = [
        f"{display(each.attribute)} {coefficient(each.v_corrected)} ({span(each.low, each.high)})"
        for each in result.recluster
        if each.v_corrected is not None and each.low is not None and each.high is not None
    ]
    if told:
        yield Finding(
            code="reclustered",
            severity="info",
            text=(
                f"With the clusters estimated again in "
                f"{counted(result.recluster[0].resamples, 'bootstrap resample')}, corrected V is "
                f"{'; '.join(told)}. Intervals elsewhere hold the clusters fixed."
            ),
            effect=0.3,
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
