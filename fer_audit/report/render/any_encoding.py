"""The same report on a terminal that knows ASCII only: each character becomes one that is as wide."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment


@dataclass(frozen=True, slots=True)
class AnyEncoding:
    """A renderable whose characters are replaced where the terminal's encoding does not have them."""

    content: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Pass everything on, in ASCII where it has to be."""
        if not options.ascii_only:
            yield self.content
            return
        for segment in console.render(self.content, options):
            yield Segment(ascii_text(segment.text), segment.style, segment.control)


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
