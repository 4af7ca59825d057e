"""On the drawn demo set: what was planted, and whether the audit found it."""

from __future__ import annotations

from fer_audit.report.blocks import Column, Prose, Section, Sign, Table
from fer_audit.report.view import View


def planted(view: View) -> Section | None:
    """Return what was drawn into the demo set and what the audit found; None for any other set."""
    checks = view.result.planted
    if not checks:
        return None
    columns = (
        Column("planted", wrap=16),
        Column("expected", wrap=12),
        Column("found", wrap=12),
        Column("agrees"),
    )
    rows = tuple(
        (
            check.claim,
            check.expected,
            check.found,
            Sign("holds", "yes") if check.agrees else Sign("fails", "no"),
        )
        for check in checks
    )
    return Section(
        "planted",
        "Does the audit find what was planted?",
        (
            Prose("This set is drawn, not photographed: what is wrong with it is known."),
            Table("Planted in this demo set", columns, rows),
        ),
    )
