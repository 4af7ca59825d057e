"""A report as lines: none ends in blanks, and on a terminal that knows ASCII only each character becomes one as wide."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment

from fer_audit.report.render.terminal_layout import INDENT
from fer_audit.text import ascii_text, visible


@dataclass(frozen=True, slots=True)
class Lines:
    """A renderable whose lines end where their text does, in characters that the terminal's encoding has."""

    content: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Pass every line on without the blanks at its end."""
        for line in console.render_lines(self.content, options, pad=False):
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
