"""timings.json: how long each stage took. The result holds no times, so that a rerun gives the same bytes."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from fer_audit.progress import Timing
from fer_audit.store.stage import write_text


def write_timings(path: Path, timings: Sequence[Timing]) -> None:
    """Write the timings as a JSON list of {stage, items, seconds, reused, day}."""
    records = [dataclasses.asdict(timing) for timing in timings]
    write_text(path, json.dumps(records, indent=2) + "\n")


def read_timings(path: Path) -> tuple[Timing, ...]:
    """Return the timings of a run; none when the file is missing or unreadable: a report is complete without them."""
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
        return tuple(_timing(**record) for record in records)
    except (OSError, ValueError, TypeError, RecursionError):
        return ()


def _timing(stage: str, items: int, seconds: float, reused: bool = False, day: str = "") -> Timing:
    """Return a timing; TypeError or ValueError when its values cannot be."""
    if not isinstance(stage, str) or type(items) is not int or type(seconds) not in (int, float):
        raise TypeError("a timing is a text, a whole number and a number")
    if items < 0 or not 0 <= seconds < math.inf:
        raise ValueError("a timing is not negative")
    if day:
        date.fromisoformat(day)
    return Timing(stage, items, float(seconds), reused=reused is True, day=day)
