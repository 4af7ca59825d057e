"""How much is left, as a word. The grade is of what is left for each nat of the label that can still vary."""

from __future__ import annotations

from fer_audit.audit.types.claim_words import Grade

INFORMATIVE = 0.5
"""Share of images in strata that can tell, below which nothing is said."""
FREE = 0.3
"""Share of the label's entropy that the columns leave, below which nothing is said."""
TRACE = 0.10
LITTLE = 1 / 3
MOST = 2 / 3


def can_tell(n: int, n_effective: int, entropy_left: float | None) -> bool:
    """Return whether enough images lie in strata in which clusters and groups vary, and enough is free to vary."""
    return n_effective >= INFORMATIVE * n and entropy_left is not None and entropy_left >= FREE


def grade(
    low: float | None,
    high: float | None,
    *,
    more: tuple[float, float] | None,
    informative: bool,
) -> Grade:
    """Return the grade of an interval of `per_entropy`; `more` is that of how much more is left than of a control.

    trace: at most a tenth, or perhaps no more than labels of other images of the same strata keep, and at most a third more.
    cannot tell: also where neither nothing nor a third is outside the interval.
    """
    if not informative or low is None or high is None:
        return "cannot tell"
    if high < TRACE or (more is not None and more[0] <= 0 and more[1] < LITTLE):
        return "trace"
    if high < LITTLE:
        return "little"
    if low <= 0:
        return "cannot tell"
    return "most" if low > MOST else "part"


def strength(v: float) -> str:
    """Return the word for a corrected V: below .1 faint, .1-.3 weak, .3-.5 clear, above .5 strong."""
    limits = ((0.1, "faint"), (0.3, "weak"), (0.5, "clear"))
    return next((word for limit, word in limits if v < limit), "strong")
