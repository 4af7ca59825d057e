"""Bars for a terminal, an eighth of a character fine."""

from __future__ import annotations

from rich.text import Text

_EIGHTHS = " ▏▎▍▌▋▊▉"
TARGET = "│"
"""Where a bar would end if the group had its target share."""


def bar(
    value: float, *, full: float, cells: int, target: float | None = None, style: str = "cyan"
) -> Text:
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
    text = Text(drawn.ljust(cells), style=style)
    if target is not None and full > 0 and target <= full:
        tick = min(cells - 1, int(target / full * cells))
        text = text[:tick] + Text(TARGET, style="default") + text[tick + 1 :]
    return text
