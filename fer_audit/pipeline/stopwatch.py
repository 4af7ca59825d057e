"""How long each stage took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from fer_audit.progress import Timing


class Stopwatch:
    """Collects how long each stage took."""

    def __init__(self) -> None:
        self.timings: list[Timing] = []

    @contextmanager
    def stage(self, name: str, items: int) -> Iterator[None]:
        """Time the block."""
        started = time.perf_counter()
        yield
        self.timings.append(Timing(name, items, time.perf_counter() - started))
