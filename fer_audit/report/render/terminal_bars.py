"""Bars for a terminal, an eighth of a character fine, and intervals as a line with a dot."""

from __future__ import annotations

from rich.text import Text

_EIGHTHS = " ▏▎▍▌▋▊▉"
TARGET = "│"
"""Where a bar would end if the group had its target share."""
POINT = "●"
_RANGE = "━"


def bar(value: float, *, full: float, cells: int, target: float | None = None) -> Text:
    """Return a bar of exactly `cells` characters that is full when value = full, with a tick at `target`.

    What is more than zero shows at least a sliver.
    """
    if cells < 1:
        return Text("")
    part = min(1.0, max(0.0, value / full)) if full > 0 else 0.0
    eighths = round(part * cells * 8)
    if value > 0:
        eighths = max(1, eighths)
    solid, rest = divmod(eighths, 8)
    drawn = "█" * solid + (_EIGHTHS[rest] if rest else "")
    text = Text(drawn.ljust(cells), style="cyan")
    if target is not None and full > 0 and target <= full:
        tick = min(cells - 1, int(target / full * cells))
        text = text[:tick] + Text(TARGET, style="default") + text[tick + 1 :]
    return text


def interval(
    value: float, low: float, high: float, *, full: float, cells: int, mark: float | None = None
) -> Text:
    """Return `cells` characters from 0 to `full`: a line from low to high, a dot at value, a tick at `mark`.

    What lies outside is drawn at the edge. The dot is drawn over the tick.
    """
    if cells < 1:
        return Text("")

    def place(at: float) -> int:
        part = at / full if full > 0 else 0.0
        return round(min(1.0, max(0.0, part)) * (cells - 1))

    drawn = [" "] * cells
    for at in range(place(low), place(high) + 1):
        drawn[at] = _RANGE
    if mark is not None:
        drawn[place(mark)] = TARGET
    drawn[place(value)] = POINT
    text = Text("".join(drawn), style="cyan")
    if mark is not None and drawn[place(mark)] == TARGET:
        text.stylize("bold default", place(mark), place(mark) + 1)
    return text
