"""What every section of the page reads."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.claims import Association, AttributeStability, Ladder
from fer_audit.audit.types.result import AuditResult
from fer_audit.progress import Timing
from fer_audit.report.charts.palette import Palette
from fer_audit.report.files.pictures import Pictures


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """A result, the pictures beside it, and what is looked up in them again and again."""

    result: AuditResult
    pictures: Pictures | None
    """None when the run directory holds none."""
    timings: tuple[Timing, ...]
    palette: Palette
    alpha: float
    level: str
    """"95 % ", to be put before the word interval."""

    @property
    def people(self) -> tuple[str, ...]:
        """The demographic attributes, in the order of the set."""
        return tuple(
            each.attribute for each in self.result.representation if each.kind == "demographic"
        )

    def ladder(self, attribute: str) -> Ladder | None:
        """Return the claim about an attribute."""
        return next((x for x in self.result.ladders if x.attribute == attribute), None)

    def association(self, attribute: str) -> Association | None:
        """Return the table of clusters and an attribute."""
        return next((x for x in self.result.associations if x.attribute == attribute), None)

    def stability(self, attribute: str) -> AttributeStability | None:
        """Return what other partitions say of an attribute."""
        found = self.result.stability
        return (
            None
            if found is None
            else next((x for x in found.attributes if x.attribute == attribute), None)
        )
