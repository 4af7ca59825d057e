"""What a terminal shows, line by line: bars, intervals, lines without blanks at their end, ASCII where it has no more."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

from fer_audit.text import counted, visible

INDENT = 2
_WIDE = 80
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
    eighths = round(_part(value, full) * cells * 8)
    solid, rest = divmod(max(1, eighths) if value > 0 else eighths, 8)
    text = Text(("█" * solid + _EIGHTHS[rest].strip()).ljust(cells), style="cyan")
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
    start, end, dot, tick = (
        round(_part(at, full) * (cells - 1))
        for at in (low, high, value, value if mark is None else mark)
    )
    drawn = [*" " * start, *_RANGE * (end - start + 1), *" " * (cells - end - 1)]
    drawn[tick] = TARGET
    drawn[dot] = POINT
    text = Text("".join(drawn), style="cyan")
    if tick != dot:
        text.stylize("bold default", tick, tick + 1)
    return text


def _part(value: float, full: float) -> float:
    return min(1.0, max(0.0, value / full)) if full > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Lines:
    """A renderable whose lines end where their text does, in characters that the terminal's encoding has."""

    content: RenderableType
    most: int = 0
    """Lines shown where a line has 80 characters or more; one more says how many are left out. 0 = all."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Pass every line on without the blanks at its end."""
        lines = console.render_lines(self.content, options, pad=False)
        if 0 < self.most < len(lines) and options.max_width >= _WIDE:
            left_out = len(lines) - self.most
            lines[self.most :] = [[Segment(f"  ... and {counted(left_out, 'more line')}: --full")]]
        for line in lines:
            while line and not line[-1].text.strip():
                line.pop()
            for at, (text, style, control) in enumerate(line):
                words = text.rstrip() if at == len(line) - 1 else text
                yield Segment(ascii_text(words) if options.ascii_only else words, style, control)
            yield Segment.line()


@dataclass(frozen=True, slots=True)
class OneLine:
    """A line that is never broken, however long: a path or a command, to be copied."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Print it as it is, made visible, in characters that the terminal's encoding has."""
        line = " " * INDENT + visible(self.text)
        yield Segment(ascii_text(line) if options.ascii_only else line)
        yield Segment.line()


_ASCII = {
    "█": "#", "▉": "#", "▊": "#", "▋": "#", "▌": "#", "▍": " ", "▎": " ", "▏": " ",
    "│": "|", "─": "-", "━": "=", "┃": "|", "┏": "+", "┓": "+", "┗": "+", "┛": "+", "◀": "<",
    "■": "!", "▲": "^", "▼": "v", "●": "*", "·": "|", "○": "o", "✓": "+", "✗": "x",
    "×": "x", "–": "-", "—": "-", "…": "~", "’": "'", "≤": "<", "≥": ">",
}  # fmt: skip


def ascii_text(text: str) -> str:
    """Return a text in ASCII that is as many cells wide: é becomes e, what has no likeness becomes ?."""
    return text if text.isascii() else "".join(map(_ascii_char, text))


def _ascii_char(char: str) -> str:
    if char.isascii():
        return char
    if char in _ASCII:
        return _ASCII[char]
    likeness = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode("ascii")
    width = cell_len(char)
    return likeness if len(likeness) == width else "?" * width
