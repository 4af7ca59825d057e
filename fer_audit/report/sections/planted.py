"""On the drawn demo set: what was planted, and whether the audit found it."""

from __future__ import annotations

from fer_audit.report.blocks import Prose, Section, Sign
from fer_audit.report.sections.values import left, table_of
from fer_audit.report.view import View


def planted(view: View) -> Section | None:
    """Return what was drawn into the demo set and what the audit found; None for any other set."""
    checks = view.result.planted
    if not checks:
        return None
    table = table_of(
        "Planted in this demo set",
        checks,
        left("planted", lambda x: x.claim, wrap=16),
        left("expected", lambda x: x.expected, wrap=12),
        left("found", lambda x: x.found, wrap=12),
        left("agrees", lambda x: Sign("holds", "yes") if x.agrees else Sign("fails", "no")),
    )
    known = Prose("This set is drawn, not photographed: what is wrong with it is known.")
    return Section("planted", "Does the audit find what was planted?", (known, table))
