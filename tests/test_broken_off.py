"""A run that an error breaks off leaves no thread behind, even while the error is being looked at."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fer_audit.config import AuditConfig, Resources
from fer_audit.encoders.types import ExportedModel
from fer_audit.pack import build
from fer_audit.pipeline import run_audit
from fer_audit.progress import Silent

ROWS = 4
"""In a shard: the 24 drawn faces make six, so that some are still being made."""

OURS = ("decode", "shard", "embed", "device")


class BreaksOff(Silent):
    """A progress that raises when so many images are embedded: a caller's error, or Ctrl-C."""

    def __init__(self, after: int) -> None:
        self._left = after

    def advance(self, stage: str, amount: int = 1) -> None:
        if stage == "embed":
            self._left -= amount
            if self._left <= 0:
                raise ZeroDivisionError


def test_an_error_in_the_middle_leaves_no_thread(
    faces: Path,
    run_dir: Path,
    cache_dir: Path,
    tiny_model: ExportedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fer_audit.pack.types.SHARD_ROWS", ROWS)
    monkeypatch.setattr(build, "SHARD_ROWS", ROWS)
    before = set(threading.enumerate())

    with pytest.raises(ZeroDivisionError) as caught:
        run_audit(
            faces,
            run_dir,
            config=AuditConfig.of(model=str(tiny_model.path), batch_size=2),
            resources=Resources(cache_dir=cache_dir),
            progress=BreaksOff(after=2 * ROWS),
        )

    assert caught.tb is not None  # its frames still hold all that the run held
    ours = [
        thread for thread in set(threading.enumerate()) - before if thread.name.startswith(OURS)
    ]
    for thread in ours:
        thread.join(10)
    assert not [thread.name for thread in ours if thread.is_alive()]
