"""What remedies did, in words that findings and sections share."""

from __future__ import annotations

from fer_audit.audit.types.remedies import BeforeAfter, Estimate
from fer_audit.text import difference, difference_span, percent, percent_span


def before_after(found: BeforeAfter) -> str:
    """Write what a probe reads before and after an erasure: 81.2 % before, 20.3 % after (19.0-21.4)."""
    after = found.after
    words = f"{percent(after.value)} after ({percent_span(after.low, after.high)})"
    return f"{percent(found.before.value)} before, {words}"


def points_gained(of: Estimate) -> str:
    """Write a difference of shares with its interval, in points: +1.2 (+0.3 to +2.1)."""
    return f"{difference(of.value)} ({difference_span(of.low, of.high)})"


def f_gained(of: Estimate) -> str:
    """Write a difference of F with its interval: +.021 (.000 to +.043)."""
    return f"{_signed(of.value)} ({_signed(of.low)} to {_signed(of.high)})"


def _signed(value: float) -> str:
    text = f"{value:+.3f}".replace("0.", ".")
    return ".000" if text[1:] == ".000" else text
