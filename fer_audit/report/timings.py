"""timings.json: how long each stage took, beside the result and never inside it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from fer_audit.config import Timing
from fer_audit.store import write_text


def write_timings(path: Path, timings: Sequence[Timing]) -> None:
    """Write the timings as a JSON list of {stage, items, seconds}."""
    records = [dataclasses.asdict(timing) for timing in timings]
    write_text(path, json.dumps(records, indent=2) + "\n")


def read_timings(path: Path) -> tuple[Timing, ...]:
    """Return the timings of a run; none when the file is missing or unreadable, for a report stands without them."""
    try:
        return tuple(Timing(**record) for record in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return ()
