"""One colour for each group, the same in every picture of a report.

The colours are safe for the colour-blind and visible on light and dark ground: Okabe and Ito 2008 for groups without an
order, two ends of a diverging scale for two groups, viridis (without its darkest part) where groups have an order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fer_audit.audit.types.result import AuditResult

UNORDERED = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31")
_CLUSTERS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#ccbb44", "#66ccee", "#888888")
_PAIR = ("#1b9e77", "#7570b3")
_SCALE = (0.22, 0.92)
NEUTRAL = "#8a929a"
"""For what is not annotated."""
ORDERED_NAMES = ("age_bin",)


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of every attribute of a report."""

    colours: dict[tuple[str, str], str]
    clusters: tuple[str, ...]

    def group(self, attribute: str, group: str) -> str:
        """Return a group's colour, #rrggbb."""
        return self.colours.get((attribute, group), NEUTRAL)

    def cluster(self, number: int) -> str:
        """Return a cluster's colour."""
        return self.clusters[number] if 0 <= number < len(self.clusters) else NEUTRAL


def palette_of(result: AuditResult) -> Palette:
    """Give every group of every attribute of a result its colour."""
    k = 0 if result.clustering is None else result.clustering.k
    found = [(x.attribute, x.kind, tuple(y.name for y in x.groups)) for x in result.representation]
    return make_palette(found, k)


def make_palette(attributes: Sequence[tuple[str, str, tuple[str, ...]]], k: int) -> Palette:
    """Return the palette of (name, kind, groups) of every attribute, and of k clusters."""
    colours = {
        (name, group): colour
        for name, kind, groups in attributes
        for group, colour in zip(groups, _colours(name, kind, len(groups)), strict=True)
    }
    return Palette(colours, _some(_CLUSTERS, k))


def _colours(name: str, kind: str, count: int) -> tuple[str, ...]:
    if name in ORDERED_NAMES or kind == "batch":
        return _scale(count)
    return _some(_PAIR if count == 2 else UNORDERED, count)


def _some(colours: Sequence[str], count: int) -> tuple[str, ...]:
    """Return the first colours; a scale where there are too few to tell groups apart."""
    return tuple(colours[:count]) if count <= len(colours) else _scale(count)


def _scale(count: int) -> tuple[str, ...]:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    low, high = _SCALE
    step = (high - low) / max(1, count - 1)
    return tuple(to_hex(colormaps["viridis"](low + step * index)) for index in range(count))
