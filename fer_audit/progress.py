"""Progress of long work; only `fer_audit.cli` shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Progress(Protocol):
    """What a stage reports to while it works."""

    def stage(self, name: str, place: int, of: int, expected: float, later: float) -> None:
        """Enter a stage of the whole, the `place`th of `of`: it takes about `expected` seconds, those after it `later`."""

    def start(self, stage: str, total: int, unit: str, done: int = 0) -> None:
        """Begin a stage of `total` units, `done` of which an earlier run left behind."""

    def advance(self, stage: str, amount: int = 1) -> None:
        """Report that `amount` more units are done."""

    def finish(self, stage: str) -> None:
        """End the stage."""

    def say(self, message: str) -> None:
        """Show one line, e.g. why a cache was not used."""


class Silent:
    """The progress of a library call: shows nothing."""

    def stage(self, name: str, place: int, of: int, expected: float, later: float) -> None:
        """Do nothing."""

    def start(self, stage: str, total: int, unit: str, done: int = 0) -> None:
        """Do nothing."""

    def advance(self, stage: str, amount: int = 1) -> None:
        """Do nothing."""

    def finish(self, stage: str) -> None:
        """Do nothing."""

    def say(self, message: str) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one stage took. Never part of a result."""

    stage: str
    items: int
    seconds: float
    reused: bool = False
    """Whether the stage found its work already done."""
    day: str = ""
    """The day on which it ended, in UTC: 2026-01-31; "" = not recorded."""
