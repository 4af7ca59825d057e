"""Is this sample a fair draw of that set?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from fer_audit.audit.analysis import Analysis, Parts, SubjectResult
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.goodness_of_fit import (
    fit_chi2,
    multinomial_p,
    total_variation,
    why_no_fit,
)
from fer_audit.audit.stats.resampling import monte_carlo_p
from fer_audit.audit.stats.tables import Mask
from fer_audit.audit.types.composition import SubsetCheck, SubsetGroup
from fer_audit.audit.types.not_computable import because
from fer_audit.audit.types.result import HOLM, AuditResult, Finding, LedgerEntry
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng
from fer_audit.text import display, p_phrase, percent, rounded_percent

WITH_REPLACEMENT = "multinomial draws from the reference's shares"
WITHOUT_REPLACEMENT = "draws without replacement from the reference, which holds the sample"
MOST_HYPERGEOMETRIC = 1_000_000_000
"""NumPy draws without replacement from fewer than 1e9 items."""

_TESTED = ("chi2", "p", "p_asymptotic")


def check_subset(
    counts: Mapping[str, int],
    reference: Mapping[str, int],
    *,
    attribute: str,
    reference_name: str,
    holds_sample: bool,
    draws: int,
    rng: np.random.Generator,
) -> SubsetCheck:
    """Return how likely a fair draw is to differ from the reference as much as these counts.

    Where the reference holds the sample (`holds_sample`, and no group is larger than in the
    reference), the Monte-Carlo p draws without replacement from it, sample included, which is exact:
    the sample is one of the subsets it could have given. Files are drawn, so byte-identical files count
    as often as they lie there. Otherwise it draws from the reference's shares.
    The asymptotic p and the exact binomial p of a group always take the reference as infinite; for a
    sample of a finite set that is on the safe side.
    """
    from scipy.stats import binomtest  # 0.9 s that a warm rerun would wait for
    from scipy.stats import chi2 as chi2_law

    names = list(dict.fromkeys((*counts, *reference)))
    x = np.array([counts.get(name, 0) for name in names], dtype=np.int64)
    whole = np.array([reference.get(name, 0) for name in names], dtype=np.int64)
    shares = whole / max(int(whole.sum()), 1)
    n = int(x.sum())
    nested = holds_sample and bool(np.all(x <= whole)) and whole.sum() < MOST_HYPERGEOMETRIC
    check = SubsetCheck(
        attribute=attribute,
        reference=reference_name,
        n=n,
        method=WITHOUT_REPLACEMENT if nested else WITH_REPLACEMENT,
    )
    reason = why_no_fit(x, shares)
    if n == 0 or not whole.any():
        return replace(check, not_computable=because(reason, "tv", "worst", *_TESTED))
    groups = tuple(
        SubsetGroup(name, count, count / n, share, float(binomtest(count, n, share).pvalue))
        for name, count, share in zip(names, x.tolist(), shares.tolist(), strict=True)
        if count or share
    )
    check = replace(
        check,
        tv=total_variation(x / n, shares),
        worst=min(groups, key=lambda group: (group.p, -abs(group.share - group.reference_share))),
        groups=groups,
    )
    if reason:
        return replace(check, not_computable=because(reason, *_TESTED))
    chi2 = float(fit_chi2(x, shares))
    if nested:
        drawn = rng.multivariate_hypergeometric(whole, n, size=draws, method="marginals")
        p = monte_carlo_p(fit_chi2(drawn, shares), chi2)
    else:
        p = multinomial_p(x, shares, draws=draws, rng=rng)
    return replace(
        check,
        chi2=chi2,
        p=p,
        p_asymptotic=float(chi2_law.sf(chi2, np.count_nonzero(shares) - 1)),
    )


def _counts(attribute: Attribute, mask: Mask) -> list[int]:
    codes = attribute.codes[mask & (attribute.codes >= 0)]
    counts: list[int] = np.bincount(codes, minlength=len(attribute.categories)).tolist()
    return counts


def _run(inputs: AuditInputs, attribute: Attribute) -> tuple[SubsetCheck, ...]:
    """Compare with the parent, file by file as they were drawn, and with the reference, image by image."""
    every = np.ones(len(inputs.dataset), dtype=np.bool_)
    sources = [("reference", inputs.reference, inputs.listed_once, False)]
    if (parent := inputs.dataset.parent) is not None:
        counts = {name: dict(groups) for name, groups in parent.counts}
        sources.insert(0, (parent.name, counts, every, True))
    return tuple(
        check_subset(
            dict(zip(attribute.categories, _counts(attribute, mask), strict=True)),
            whole[attribute.name],
            attribute=attribute.name,
            reference_name=name,
            holds_sample=holds_sample,
            draws=inputs.config.statistics.permutations,
            rng=stage_rng(inputs.config.seed, "audit", "subset", name, attribute.name),
        )
        for name, whole, mask, holds_sample in sources
        if attribute.name in whole
    )


def _join(
    inputs: AuditInputs, pieces: Sequence[SubjectResult], parts: Parts
) -> tuple[SubsetCheck, ...]:
    """Return the checks against the parent first."""
    checks = [check for piece in pieces for check in piece]
    parent = "" if inputs.dataset.parent is None else inputs.dataset.parent.name
    return tuple(sorted(checks, key=lambda check: check.reference != parent))


def _findings(result: AuditResult) -> Iterator[Finding]:
    alpha = result.config.statistics.alpha
    failed = [each for each in result.subset_checks if each.p is not None and each.p <= alpha]
    failed.sort(key=lambda each: -(each.tv or 0.0))
    for reference in dict.fromkeys(each.reference for each in failed):
        checks = [each for each in failed if each.reference == reference]
        most = checks[0]
        text = f"These images are no random draw of {reference}: {display(most.attribute)} is off by {rounded_percent(most.tv or 0.0)}."
        effect = 0.5 + (most.tv or 0.0) / 2
        figures = f"{'; '.join(map(_describe_draw, checks))}; drawn by image"
        do = "Do not quote its shares for the whole set; draw again at random, or weight."
        values = tuple((f"tv.{each.attribute}", each.tv or 0.0) for each in checks)
        yield Finding("unfair_draw", "know", text, most.attribute, effect, figures, do, "", values)


def _describe_draw(check: SubsetCheck) -> str:
    furthest = ""
    if (worst := check.worst) is not None:
        furthest = f", furthest {worst.name} {percent(worst.count / check.n)} for {percent(worst.reference_share)}"
    return f"{display(check.attribute)} {percent(check.tv or 0.0)} of {check.n:,} would have to change group ({p_phrase(check.p)}{furthest})"


def _ledger(checks: Sequence[SubsetCheck]) -> Iterator[LedgerEntry]:
    for check in checks:
        subject = f"{check.attribute} against {check.reference}"
        if check.p is not None:
            method = f"Pearson's chi-squared, {check.method}"
            tests = 1 + (check.p_asymptotic is not None)
            yield LedgerEntry("subset check", subject, method, check.p, tests=tests)
        if check.worst is not None:
            yield LedgerEntry(
                family=f"groups of {subject}",
                subject=f"{check.worst.name}, smallest of {len(check.groups)} groups",
                method="exact two-sided binomial",
                p=check.worst.p,
                p_corrected=min(1.0, check.worst.p * len(check.groups)),
                correction=HOLM,
                tests=len(check.groups),
            )


ANALYSIS = Analysis(
    name="subset_checks",
    record=tuple[SubsetCheck, ...],
    run=_run,
    subjects=lambda inputs: [(each,) for each in inputs.compared],
    join=_join,
    needs=("dataset.parent", "listed_once"),
    settings=("reference", "permutations"),
    findings=_findings,
    ledger=_ledger,
)
