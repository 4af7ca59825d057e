"""A report as lines: none ends in blanks, and on a terminal that knows ASCII only each character becomes one as wide."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment

from fer_audit.report.render.terminal_layout import INDENT
from fer_audit.text import counted, visible

_WIDE = 80


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
            if line:
                text, style, control = line[-1]
                line[-1] = Segment(text.rstrip(), style, control)
            for segment in line:
                words = ascii_text(segment.text) if options.ascii_only else segment.text
                yield Segment(words, segment.style, segment.control)
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
