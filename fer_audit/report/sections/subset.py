"""Is this sample a fair draw of the set it comes from?"""

from __future__ import annotations

from fer_audit.audit.types.composition import SubsetCheck
from fer_audit.report.blocks import Block, Prose, Section
from fer_audit.report.sections.values import left, right, table_of
from fer_audit.report.view import View
from fer_audit.text import (
    because,
    clipped,
    counted,
    display,
    p_phrase,
    p_text,
    percent,
    unreached,
    whole,
)


def subset(view: View) -> Section | None:
    """Return how each attribute compares with the whole set; None without a set to compare with."""
    checks = view.result.subset_checks
    if not checks:
        return None
    blocks = [block for check in checks for block in _check(check, view)]
    return Section("subset", "Is this sample a fair draw?", tuple(blocks))


def _check(check: SubsetCheck, view: View) -> list[Block]:
    attribute, reference = display(clipped(check.attribute, 28)), clipped(check.reference, 40)
    if check.p is None:
        reason = because(check.not_computable)
        return [Prose(f"{attribute} compared with {reference}: {reason}.")]
    unlike = check.p <= view.alpha
    at_most = unreached(check.p, view.result.config.statistics.permutations)
    text = f"{attribute} of {counted(check.n, 'image')} compared with {reference}:"
    text += " unlike the set, " if unlike else " as a fair draw would be, "
    text += p_phrase(check.p, at_most=at_most) + (f" ({check.method})" if check.method else "")
    if check.tv is not None:
        text += f"; {percent(check.tv)} of the images would have to change group (TV)"
    if unlike and check.worst is not None:
        worst = check.worst
        text += (
            f"; furthest off: {clipped(worst.name, 28)} with {percent(worst.share)} ({whole(worst.count)})"
            f" where the set has {percent(worst.reference_share)}, {p_phrase(worst.p)}"
        )
    blocks: list[Block] = [Prose(text + ".")]
    if check.groups:
        blocks.append(
            table_of(
                f"{attribute} compared with {reference}",
                check.groups,
                left("group", lambda x: clipped(x.name, 28), wrap=10),
                right("here", lambda x: percent(x.share)),
                right("images", lambda x: whole(x.count)),
                right("in the set", lambda x: percent(x.reference_share)),
                right("exact p", lambda x: p_text(x.p)),
            )
        )
    return blocks
