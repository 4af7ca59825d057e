"""How the reports write a number, and how they write what a stranger named: one place for each."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types import WITHHELD
from fer_audit.escapes import encodable as encodable
from fer_audit.escapes import visible as visible

NONE = "not computable"


def clipped(text: str, limit: int) -> str:
    """Return a visible text of at most `limit` characters, its middle left out: both ends of a path tell most."""
    shown = visible(text)
    if len(shown) <= limit:
        return shown
    tail = (limit - 1) // 2
    return f"{shown[: limit - 1 - tail]}…{shown[len(shown) - tail :]}"


def whole(count: int | None) -> str:
    """Write a count: 23,707; None = withheld."""
    return WITHHELD if count is None else f"{count:,}"


def counted(count: int | None, one: str, many: str = "") -> str:
    """Write a count and its noun: 1 file, 2 files; None = withheld."""
    return f"{whole(count)} {one if count == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Write a list: a, b and c."""
    return " and ".join([*([", ".join(words[:-1])] if words[:-1] else []), *words[-1:]])


def number(value: float | None, digits: int = 2) -> str:
    """Write an index: 4.25, 1,234.50."""
    return NONE if value is None else f"{value:,.{digits}f}"


def percent(share: float | None) -> str:
    """Write a share of 0..1: 31.2 %. What is there but would round to zero is < 0.1 %."""
    if share is None:
        return NONE
    return "< 0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"


def share_text(
    share: float | None, count: int | None, low: float | None, high: float | None
) -> str:
    """Write a share with its count and its interval: 31.2 % (6,240; 30.6-31.9); [c] where the count is withheld."""
    if count is None:
        return WITHHELD
    if share is None:
        return f"{NONE} ({count:,})"
    if low is None or high is None:
        return f"{percent(share)} ({count:,})"
    return f"{percent(share)} ({count:,}; {100 * low:.1f}-{100 * high:.1f})"


def coefficient(value: float | None) -> str:
    """Write what cannot exceed 1, as journals do, without the zero: .010, 1.000, < .001."""
    if value is None:
        return NONE
    if 0 < abs(value) < 0.0005:
        return "< .001" if value > 0 else "> -.001"
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if abs(value) < 0.9995 else text


def span(low: float | None, high: float | None) -> str:
    """Write an interval of coefficients: .000-.061; with "to" where a minus sign would confuse."""
    if low is None or high is None:
        return NONE
    joint = " to " if low < 0 or high < 0 else "-"
    return joint.join(coefficient(end) if abs(end) >= 0.0005 else ".000" for end in (low, high))


def percent_span(low: float | None, high: float | None) -> str:
    """Write an interval of shares in per cent: 79.0-89.2; with "to" where a minus sign would confuse."""
    if low is None or high is None:
        return NONE
    joint = " to " if low < 0 or high < 0 else "-"
    return f"{100 * low:.1f}{joint}{100 * high:.1f}"


def measured(value: float | None) -> str:
    """Write a quantity of any unit with about three figures: 412, 41.2, 4.12, 0.412."""
    if value is None:
        return NONE
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"


def p_text(p: float | None) -> str:
    """Write a p value: .423, < .001, > .999."""
    if p is None:
        return NONE
    if p < 0.001:
        return "< .001"
    return "> .999" if p > 0.999 else coefficient(p)


def p_phrase(p: float | None) -> str:
    """Write a p value inside a sentence: p = .423, p < .001."""
    if p is None:
        return f"p {NONE}"
    text = p_text(p)
    return f"p {text}" if text[0] in "<>" else f"p = {text}"


def large(value: float) -> str:
    """Write an inertia: 8,409,500, and 8.4095e+12 where separators no longer help."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e10 else f"{value:.5g}"


def because(not_computable: tuple[tuple[str, str], ...]) -> str:
    """Write "not computable (reason)", each reason once."""
    reasons = dict.fromkeys(reason for _, reason in not_computable)
    return f"{NONE} ({'; '.join(reasons)})" if reasons else NONE
