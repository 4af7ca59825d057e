"""Progress on stderr, the report on stdout. The only file that imports rich.live."""

from __future__ import annotations

import contextlib
import difflib
import shlex
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from fer_audit.cli.output import say
from fer_audit.cli.standing import Standing
from fer_audit.errors import ConfigError
from fer_audit.store.locks import CannotSync, StillWaiting
from fer_audit.text import visible, whole

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

    from fer_audit.report.view import View


LINE_SECONDS = 30.0
"""At most so long without a line, where there is no terminal."""


class Terminal:
    """A `fer_audit.progress.Progress` with a bar on a terminal, and plain lines elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console

        self._console: Console = Console(stderr=True, quiet=quiet, highlight=False)
        self._live: Live | None = None
        self._ended = threading.Event()
        self._warnings = plain_warnings(self.say)
        self._standing = Standing()

    def __enter__(self) -> Terminal:
        from rich.live import Live
        from rich.spinner import Spinner

        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._spinner = Spinner("dots")
            self._live = Live(get_renderable=self._row, console=self._console, transient=True)
            self._live.start()
        elif not self._console.quiet:
            threading.Thread(target=self._speak, name="progress", daemon=True).start()
        self._warnings.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._warnings.__exit__(kind, error, trace)
        if self._live is not None:
            self._live.stop()

    def _row(self) -> RenderableType:
        """Return what a terminal shows, four times a second: something moves whatever the work is busy with."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        _, count = self._standing.latest()
        bar = ProgressBar(max(count.total, 1), count.done, width=10) if count else ""
        row = Table.grid(padding=(0, 1))
        row.add_row(self._spinner, bar, Text(self._standing.line(), no_wrap=True))
        return row

    def _speak(self) -> None:
        while not self._ended.wait(LINE_SECONDS):
            self.say(self._standing.line())

    def stage(self, name: str, place: int, of: int, expected: float, later: float) -> None:
        """Note which stage of the whole this is."""
        self._standing.enter(name, place, of, expected, later)

    def start(self, stage: str, total: int, unit: str, done: int = 0) -> None:
        """Show a bar, or say that a stage begins."""
        self._standing.start(stage, total, unit, done)
        if self._live is None:
            already = f", {whole(done)} done before" if done else ""
            self.say(f"{self._standing.place}{stage}: {whole(total)} {unit}{already}")

    def advance(self, stage: str, amount: int = 1) -> None:
        """Move a bar on."""
        self._standing.counts[stage].done += amount

    def finish(self, stage: str) -> None:
        """Take a bar away."""
        del self._standing.counts[stage]

    def say(self, message: str) -> None:
        """Print one line to stderr."""
        self._console.print(visible(message), markup=False, soft_wrap=True)


@contextlib.contextmanager
def plain_warnings(say: Callable[[str], None]) -> Iterator[None]:
    """Print the package's own warnings as one line each, all others as Python does."""
    as_before = warnings.showwarning

    def show_warning(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, (CannotSync, StillWaiting)):
            say(f"warning: {message}")
        else:
            as_before(message, category, filename, lineno, file, line)

    warnings.showwarning = show_warning
    try:
        yield
    finally:
        warnings.showwarning = as_before


def show(report: RenderableType) -> None:
    """Print a report to stdout."""
    from rich.console import Console

    Console(file=sys.stdout, highlight=False).print(report, crop=False)


def show_report(
    view: View, run: Path, page: Path | None, *, full: bool = False, section: str | None = None
) -> None:
    """Print the short report of a run; all of it with `full`, one topic of it with `section`.

    `page` is where the same stands as a page; it is named where there is one.
    Raises ConfigError for a topic that there is not.
    """
    from fer_audit.report.render.terminal import terminal_report
    from fer_audit.report.report import TOPICS, make_report

    if section is not None and section not in TOPICS:
        near = difflib.get_close_matches(section, TOPICS, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise ConfigError(
            f"--section {section}: there is no such section",
            hint=f"{hint}There are: {', '.join(TOPICS)}",
        )
    short = not full and section is None
    where = str(page) if page is not None and page.is_file() else ""
    more = f"fer-audit report {shlex.quote(str(run))} --full"
    topics = f"or --section {', '.join(TOPICS)}; or --json"
    report = make_report(view, section)
    if not report.sections:
        say(f"fer-audit: the run has nothing to say of {section}")
        return
    if short:
        show(terminal_report(report, "summary", page=where, more=(more, topics)))
    else:
        show(terminal_report(report, page=where))
