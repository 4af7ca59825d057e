"""A report as lines: none ends in blanks, and on a terminal that knows ASCII only each character becomes one as wide."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment

from fer_audit.text import ascii_text, counted

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
