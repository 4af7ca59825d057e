"""Who is in the set: shares with bars, and diversity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from fer_audit.audit.types.composition import (
    AgeHeaping,
    GroupShare,
    Indices,
    Representation,
    TargetDistance,
)
from fer_audit.report.bars import TARGET, bar
from fer_audit.report.tables import INDENT, Column, Flow, Grid, Heading, plain, prose
from fer_audit.text import clipped, coefficient, counted, number, p_phrase, share_text

MANY_GROUPS = 12
"""Above this, and for batches, only the largest few groups are shown."""
TOP = 3
_NO_TARGET = ("batch", "style")
"""Nobody wants even shares of these."""
FOUR_FIFTHS = 0.8
"""A group below 4/5 of its target share is flagged, one above 5/4 as well."""
_SIDE_BY_SIDE = 150


@dataclass(frozen=True, slots=True)
class Composition:
    """One attribute: a bar, the share, the count and the interval of each group."""

    representation: Representation
    confidence: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the bars as wide as there is room for, or leave them out."""
        representation = self.representation
        largest_first = sorted(representation.groups, key=lambda group: -(group.count or 0))
        summary = is_summary(representation)
        groups = largest_first[:TOP] if summary else list(representation.groups)
        wanted = representation.kind not in _NO_TARGET
        missing = f"{representation.not_annotated:,} (annotated: {representation.annotated:,})"
        names = [*(plain(clipped(group.name, 28)) for group in groups), Text("not annotated")]
        shares = [*(_share(group) for group in groups), Text(missing)]
        flags = [*(_flag(group) if wanted else Text("") for group in groups), Text("")]
        head = Column(_title(representation), squeeze=10)
        share = Column(Text(f"share (count; {self.confidence}interval)"))
        flag = Column(Text("of target" if wanted else ""))
        grid = Grid((head, share, flag), list(zip(names, shares, flags, strict=True)))
        room = min(options.max_width, 110) - grid.width() - INDENT
        if room >= 8 and groups:
            bars = [*_bars(groups, min(32, room), with_target=wanted), Text("")]
            caption = f"{TARGET} = target" if wanted and room >= 10 else ""
            rows = list(zip(names, shares, bars, flags, strict=True))
            grid = Grid((head, share, Column(Text(caption)), flag), rows)
        yield grid
        if summary and len(representation.groups) > len(groups):
            left = len(representation.groups) - len(groups)
            yield prose(
                f"... and {counted(left, 'smaller group')}; {counted(len(representation.groups), 'group')} in all"
            )
        yield Flow(_indices(representation.indices))
        if wanted:
            yield Flow(_target(representation.target))
        yield Text("")


def who_is_in_it(
    representations: Sequence[Representation], heaping: AgeHeaping | None, confidence: str
) -> list[RenderableType]:
    """Return the composition of every attribute, two beside each other on a wide terminal."""
    parts: list[RenderableType] = [Heading("Who is in the set?")]
    if not representations:
        return [*parts, prose("No attribute: the set has no labels, so nobody can be counted.")]
    blocks = [Composition(representation, confidence) for representation in representations]
    parts.append(SideBySide(blocks))
    if heaping is not None and heaping.whipple is not None:
        parts.append(
            prose(
                f"Ages: Whipple's index {heaping.whipple:.1f} over {counted(heaping.n, 'image')} aged 23 to 62"
                " (100 = no preference for ages ending in 0 or 5, 500 = only such ages)."
            )
        )
    parts.append(
        prose(
            "ENS: the set is as diverse as that many equally large groups. IR: largest over smallest group."
            " TV: the share of images that would have to change group to meet the target."
            " ▼ under: less than 0.8 of the target share; ▲ over: more than 1.25."
        )
    )
    return parts


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Blocks one below the other, or in two columns where both have room."""

    blocks: Sequence[RenderableType]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw two columns from 150 characters on."""
        if options.max_width < _SIDE_BY_SIDE or len(self.blocks) < 2:
            yield Group(*self.blocks)
            return
        half = (min(options.max_width, 180) - INDENT) // 2
        grid = Table.grid(padding=0)
        grid.add_column(width=half)
        grid.add_column(width=half)
        for index in range(0, len(self.blocks), 2):
            grid.add_row(*self.blocks[index : index + 2])
        yield grid


def is_summary(representation: Representation) -> bool:
    """Whether only the largest groups of this attribute are shown."""
    many = len(representation.groups) > MANY_GROUPS
    return many or (representation.kind in ("batch", "style") and len(representation.groups) > TOP)


def _title(representation: Representation) -> Text:
    """Return the attribute's name, and what is not as a reader would expect of it."""
    remarks = [] if representation.kind == "demographic" else [representation.kind]
    remarks += [] if representation.source == "annotated" else [representation.source]
    name = clipped(representation.attribute, 28)
    return plain(f"{name} ({', '.join(remarks)})" if remarks else name)


def _share(group: GroupShare) -> Text:
    return Text(share_text(group.share, group.count, group.low, group.high))


def _bars(groups: Sequence[GroupShare], cells: int, *, with_target: bool) -> list[Text]:
    full = max(group.share or 0.0 for group in groups)
    return [
        bar(
            group.share or 0.0,
            full=full,
            cells=cells,
            target=group.share / group.ratio
            if with_target and group.share and group.ratio
            else None,
        )
        for group in groups
    ]


def _flag(group: GroupShare) -> Text:
    if group.ratio is None:
        return Text("")
    text = f"{group.ratio:.2f}×"
    if group.ratio < FOUR_FIFTHS:
        return Text.assemble(("▼ ", "bold magenta"), f"{text} under")
    if group.ratio > 1 / FOUR_FIFTHS:
        return Text.assemble(("▲ ", "bold cyan"), f"{text} over")
    return Text(
        f"  {text}      "
    )  # as wide as a flagged one, so that the bars of all attributes are as long


def _indices(indices: Indices) -> list[Text]:
    named = [
        ("ENS", indices.ENS),
        ("1/D", indices.inverse_D),
        ("H", indices.H),
        ("SEI", indices.SEI),
        ("NSD", indices.NSD),
        ("IR", indices.IR),
        ("BP", indices.BP),
    ]
    known = [Text(f"{name} {number(value)}") for name, value in named if value is not None]
    return [Text(f"R {indices.R}"), *known]


def _target(target: TargetDistance) -> list[Text]:
    named = [("TV", target.tv), ("DS_R", target.ds_r), ("DS_E", target.ds_e), ("JSD", target.jsd)]
    pieces = [Text(f"{name} {coefficient(value)}") for name, value in named if value is not None]
    if target.p is not None:
        pieces.append(Text(p_phrase(target.p)))
    return [Text(f"target {clipped(target.target, 40)}"), *pieces]
