"""The resident high-water mark of this process, as Linux tells it."""

from __future__ import annotations

from pathlib import Path

_PROC = Path("/proc/self")
_RESET_PEAK = "5"
"""proc(5), clear_refs: "reset the peak resident set size to the process's current value"."""


def reset_peak() -> bool:
    """Let the mark fall to what is resident now; return whether this system allows it."""
    try:
        (_PROC / "clear_refs").write_text(_RESET_PEAK)
    except OSError:
        return False
    return True


def peak_bytes() -> int:
    """Return the mark since the last reset."""
    lines = (_PROC / "status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
