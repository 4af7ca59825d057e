"""The list of every test that was run, with what its p was corrected for."""

from __future__ import annotations

from fer_audit.audit.analyses import ANALYSES
from fer_audit.audit.types.result import AuditResult, LedgerEntry


def collect_ledger(result: AuditResult) -> tuple[LedgerEntry, ...]:
    """Return the entries of every analysis; the cells of a table share one, which says how many they are."""
    return tuple(
        entry for analysis in ANALYSES for entry in analysis.ledger(result.part(analysis.name))
    )
