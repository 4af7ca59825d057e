"""Settings that a report reads back out of a result."""

from __future__ import annotations

from fer_audit.audit.types.result import AuditResult


def level(result: AuditResult) -> str:
    """Return the level of the intervals as words before "interval": "95 % "."""
    return level_words(result.config.statistics.confidence)


def level_words(confidence: float) -> str:
    """Write a level before the word "interval": "95 % "."""
    return f"{100 * confidence:g} % "
