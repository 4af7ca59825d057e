"""Settings that a report reads back out of a result."""

from __future__ import annotations

from fer_audit.audit.types.result import AuditResult

ALPHA = 0.05
"""For a result whose settings do not say."""


def setting(result: AuditResult, name: str) -> float | None:
    """Return a setting that is a number, as the result's own configuration has it."""
    try:
        return float(dict(result.config)[name])
    except (KeyError, ValueError):
        return None


def level(result: AuditResult) -> str:
    """Return the level of the intervals as words before "interval": "95 % ", or nothing."""
    confidence = setting(result, "confidence")
    return "" if confidence is None else level_words(confidence)


def level_words(confidence: float) -> str:
    """Write a level before the word "interval": "95 % "."""
    return f"{100 * confidence:g} % "
