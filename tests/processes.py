"""What /proc says of processes: who lives, whose child it is, how much memory it holds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest


def session(leader: int) -> list[int]:
    """Return the living processes of a session."""
    found = []
    for path in Path("/proc").iterdir():
        try:
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue  # no process, or gone by now
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(path.name))
    return found


def children(pid: int) -> set[int]:
    """Return the process ids of a process's children."""
    found: set[int] = set()
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found |= {int(child) for child in (task / "children").read_text().split()}
    except OSError:  # a thread that ended meanwhile
        pass
    return found


def is_decoder(pid: int) -> bool:
    """Return whether a child has become a decode process: before that it is a copy of its parent."""
    try:
        return b"fer_audit.pack.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def resident_bytes(pid: int) -> int:
    """Return the memory of a process that is in RAM; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Fail when something does not come true in time."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            pytest.fail(f"it did not happen in {seconds:g} seconds")
        time.sleep(0.005)
