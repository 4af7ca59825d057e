"""Which of the many questions of a rung a report shows."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.claims import Conditional

SHOWN = 3
"""Questions shown of each rung, those that leave least; result.json has all."""


def weakest(asked: Sequence[Conditional]) -> list[Conditional]:
    """Return the questions of one rung that leave least, in the order they were asked; one without an answer comes first."""
    least = sorted(asked, key=lambda each: -1.0 if each.kept is None else each.kept)[:SHOWN]
    return [each for each in asked if each in least]
