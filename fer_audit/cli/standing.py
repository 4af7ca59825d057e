"""Where work stands, as one line: the stage, how far it is, and about how long the whole still takes."""

from __future__ import annotations

import time
from dataclasses import dataclass

from fer_audit.text import duration, whole


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
    """What a `fer_audit.progress.Progress` is told, put together."""

    def __init__(self) -> None:
        self._started = self._entered = time.monotonic()
        self._name = "starting"
        self.place = ""
        self._expected = self._later = 0.0
        self.counts: dict[str, Count] = {}

    def enter(self, name: str, place: int, of: int, expected: float, later: float) -> None:
        """Note a stage of the whole; see `Progress.stage`."""
        self._name, self.place, self._entered = name, f"{place} of {of}, ", time.monotonic()
        self._expected, self._later = expected, later

    def start(self, name: str, total: int, unit: str, done: int) -> None:
        """Note that something begins to count; see `Progress.start`."""
        self.counts[name] = Count(total, unit, done, done, time.monotonic())

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
