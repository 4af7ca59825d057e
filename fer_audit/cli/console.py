"""Progress on stderr, with where work stands as one line; the report on stdout. The only file that imports rich.live."""

from __future__ import annotations

import contextlib
import shlex
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_audit.cli.output import nearest, say
from fer_audit.errors import ConfigError
from fer_audit.store.locks import CannotSync, StillWaiting
from fer_audit.text import duration, visible, whole

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

    from fer_audit.report.view import View


@dataclass(slots=True)
class Count:
    """How far something is that counts its units."""

    total: int
    unit: str
    first: int
    """Units that an earlier run had done."""
    done: int
    started: float


class Standing:
    """A `fer_audit.progress.Progress` that puts together what it is told."""

    def __init__(self) -> None:
        self._started = self._entered = time.monotonic()
        self._name = "starting"
        self.place = ""
        self._expected = self._later = 0.0
        self.counts: dict[str, Count] = {}

    def stage(self, name: str, place: int, of: int, expected: float, later: float) -> None:
        """Note a stage of the whole."""
        self._name, self.place, self._entered = name, f"{place} of {of}, ", time.monotonic()
        self._expected, self._later = expected, later

    def start(self, stage: str, total: int, unit: str, done: int = 0) -> None:
        """Note that something begins to count."""
        self.counts[stage] = Count(total, unit, done, done, time.monotonic())

    def advance(self, stage: str, amount: int = 1) -> None:
        """Move a count on."""
        self.counts[stage].done += amount

    def finish(self, stage: str) -> None:
        """Take a count away."""
        del self.counts[stage]

    def latest(self) -> tuple[str, Count | None]:
        """Return what counts now, by its name; the stage where nothing does."""
        counting = list(self.counts.items())
        return counting[-1] if counting else (self._name, None)

    def left(self) -> float:
        """Return about how many seconds are left; 0 while nothing is known.

        What is counted goes on as fast as it went so far; the rest takes what it takes elsewhere.
        """
        now = time.monotonic()
        own = max(self._expected - (now - self._entered), 0.0)
        _, count = self.latest()
        if count is not None and count.done > count.first:
            rate = (now - count.started) / (count.done - count.first)
            own = rate * (count.total - count.done)
        return own + self._later

    def line(self) -> str:
        """Return the line, e.g. `3 of 7, embed: 4,200 of 23,707 images, about 9 min left, 2 min 5 s so far`."""
        name, count = self.latest()
        words = [f"{whole(count.done)} of {whole(count.total)} {count.unit}"] if count else []
        left = self.left()
        if left:  # before the time so far, which a narrow terminal may cut
            words.append(f"about {rough(left)} left")
        words.append(f"{duration(time.monotonic() - self._started)} so far")
        return f"{self.place}{name}: {', '.join(words)}"


def rough(seconds: float) -> str:
    """Write a guess of how long something takes: a minute, 9 min, 2 h 5 min."""
    minutes = max(round(seconds / 60), 1)
    if minutes < 60:
        return "a minute" if minutes == 1 else f"{minutes} min"
    return duration(60 * minutes)


LINE_SECONDS = 30.0
"""At most so long without a line, where there is no terminal."""


class Terminal(Standing):
    """A `fer_audit.progress.Progress` with a bar on a terminal, and plain lines elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console

        super().__init__()
        self._console: Console = Console(stderr=True, quiet=quiet, highlight=False)
        self._live: Live | None = None
        self._ended = threading.Event()
        self._warnings = plain_warnings(self.say)

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

    def __exit__(self, *error: Any) -> None:  # noqa: ANN401 - what the block raised
        self._ended.set()
        self._warnings.__exit__(*error)
        if self._live is not None:
            self._live.stop()

    def _row(self) -> RenderableType:
        """Return what a terminal shows, four times a second: something moves whatever the work is busy with."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        _, count = self.latest()
        bar = ProgressBar(max(count.total, 1), count.done, width=10) if count else ""
        row = Table.grid(padding=(0, 1))
        row.add_row(self._spinner, bar, Text(self.line(), no_wrap=True))
        return row

    def _speak(self) -> None:
        while not self._ended.wait(LINE_SECONDS):
            self.say(self.line())

    def start(self, stage: str, total: int, unit: str, done: int = 0) -> None:
        """Show a bar, or say that a stage begins."""
        super().start(stage, total, unit, done)
        if self._live is None:
            already = f", {whole(done)} done before" if done else ""
            self.say(
                f"{self.place}{stage}: {whole(total)} {unit.removesuffix('s') if total == 1 else unit}{already}"
            )

    def say(self, message: str) -> None:
        """Print one line to stderr."""
        self._console.print(visible(message), markup=False, soft_wrap=True)


@contextlib.contextmanager
def plain_warnings(say: Callable[[str], None]) -> Iterator[None]:
    """Print the package's own warnings as one line each, all others as Python does."""
    as_before = warnings.showwarning

    def show_warning(message: Any, category: Any, *facts: Any, **more: Any) -> None:  # noqa: ANN401 - Python's own
        if issubclass(category, (CannotSync, StillWaiting)):
            say(f"warning: {message}")
        else:
            as_before(message, category, *facts, **more)

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
    view: View,
    run: Path,
    page: Path | None,
    *,
    full: bool = False,
    section: str | None = None,
    min_cell: int = 0,
) -> None:
    """Print the short report of a run; all of it with `full`, one topic of it with `section`.

    `page` is where the same stands as a page; it is named where there is one. `min_cell` is what was withheld in `view`.
    Raises ConfigError for a topic that there is not.
    """
    from fer_audit.report.render.terminal import terminal_report
    from fer_audit.report.report import TOPICS, make_report

    if section is not None and section not in TOPICS:
        hint = (
            f"{nearest(section, TOPICS)} There are: {', '.join(make_report(view).topics)}".lstrip()
        )
        raise ConfigError(f"--section {section}: there is no such section", hint=hint)
    short = not full and section is None
    where = str(page) if page is not None and page.is_file() else ""
    report = make_report(view, section)
    withheld = f" --min-cell {min_cell}" if min_cell else ""
    more = f"fer-audit report {shlex.quote(str(run))}{withheld} --full"
    topics = f"or --section {', '.join(report.topics)}; or --json"
    if not report.sections:
        say(f"fer-audit: the run has nothing to say of {section}")
        return
    if short:
        show(terminal_report(report, "summary", page=where, more=(more, topics)))
    else:
        show(terminal_report(report, page=where))
