"""What every section reads: the result, the pictures next to it, and what is looked up in them again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fer_audit.audit.types.claims import Association, AssociationCell, Conditional, Ladder
from fer_audit.audit.types.result import AuditResult
from fer_audit.audit.types.stability import AttributeStability
from fer_audit.progress import Timing
from fer_audit.report.charts.palette import Palette, palette_of
from fer_audit.report.files.pictures import MeanFace, Pictures
from fer_audit.text import level


@dataclass(frozen=True, eq=False)
class View:
    """A finished run, as its report shows it."""

    result: AuditResult
    pictures: Pictures | None = None
    """None when the run directory holds none."""
    timings: tuple[Timing, ...] = ()

    @property
    def stages(self) -> tuple[Timing, ...]:
        """The timings but the report's own, which no page knows when it is made."""
        return tuple(each for each in self.timings if each.stage != "report")

    @cached_property
    def palette(self) -> Palette:
        """One colour for each group, the same in every picture."""
        return palette_of(self.result)

    @property
    def alpha(self) -> float:
        """The level of significance."""
        return self.result.config.statistics.alpha

    @property
    def level(self) -> str:
        """The level of the intervals, to stand before the word interval: "95 % "."""
        return level_words(self.result.config.statistics.confidence)

    @cached_property
    def unstable(self) -> frozenset[int]:
        """The clusters that do not come back in resamples."""
        facts = self.result.stability
        rows = () if facts is None else facts.clusters
        return frozenset(x.cluster for x in rows if not x.stable)

    @property
    def k(self) -> int | None:
        """The number of clusters."""
        return None if self.result.clustering is None else self.result.clustering.k

    @property
    def faces(self) -> tuple[MeanFace, ...]:
        """The mean faces."""
        return () if self.pictures is None else self.pictures.faces

    def ladder(self, of: str, attribute: str) -> Ladder | None:
        """Return the ladder of a claim."""
        found = (x for x in self.result.ladders if (x.of, x.attribute) == (of, attribute))
        return next(found, None)

    def association(self, attribute: str) -> Association | None:
        """Return the table of clusters and an attribute."""
        return next((x for x in self.result.associations if x.attribute == attribute), None)

    def stability(self, attribute: str) -> AttributeStability | None:
        """Return what other partitions say of an attribute."""
        facts = self.result.stability
        rows = () if facts is None else facts.attributes
        return next((x for x in rows if x.attribute == attribute), None)


def is_clear(cell: AssociationCell, alpha: float) -> bool:
    """Whether a cell has images enough, and is further from chance than chance allows."""
    return not cell.too_few and cell.p_adjusted is not None and cell.p_adjusted <= alpha


N_QUESTIONS = 3
"""Questions shown of each rung of a ladder, those that leave least; its ledger has all."""


def weakest(asked: Sequence[Conditional]) -> list[Conditional]:
    """Return the questions of one rung that leave least, in the order they were asked; one without an answer comes first."""
    least = sorted(asked, key=lambda each: -1.0 if each.kept is None else each.kept)[:N_QUESTIONS]
    return [each for each in asked if each in least]


def level_words(confidence: float) -> str:
    """Write a level, to stand before the word interval: "95 % "."""
    return f"{level(confidence)} "
