"""The same report on a terminal that knows ASCII only: each character becomes one that is as wide."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment

from fer_audit.text import ascii_text


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
