"""How long work tells that it is alive; only `fer_audit.cli` knows how that looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Progress(Protocol):
    """What a stage reports to while it works."""

    def start(self, stage: str, total: int, unit: str, done: int = 0) -> None:
        """Begin a stage of `total` units, `done` of which an earlier run left behind."""

    def advance(self, stage: str, amount: int = 1) -> None:
        """Say that `amount` more units are done."""

    def finish(self, stage: str) -> None:
        """Say that the stage is over."""

    def say(self, message: str) -> None:
        """Pass on one line a person should see, e.g. why a cache was not used."""


class Silent:
    """The progress of a library call: says nothing."""

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
    """How long one stage took. Kept beside a result, never inside it."""

    stage: str
    items: int
    seconds: float
    reused: bool = False
    """Whether the stage found its work already done."""
