"""What CI runs, in order, and how long each part took: `python -m tests.families`, called by `make ci`.

A heavy family runs in full when what it guards changed since the newest commit older than a day, or with ALL=1.
Otherwise its core runs: one test of each invariant. Nothing to compare with means in full.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

SHARED = (
    *(
        "pyproject.toml",
        "Makefile",
        "tests/conftest.py",
        "tests/processes.py",
        "tests/drawings.py",
    ),
    *("fer_audit/config.py", "fer_audit/store/", "fer_audit/pipeline/"),
    *(f"fer_audit/{name}.py" for name in ("cores", "errors", "progress", "rng", "text")),
)
GUARDS = {
    "faults": (
        *("fer_audit/pack/", "fer_audit/dataset/", "fer_audit/embed/", "fer_audit/encoders/"),
        *(
            "fer_audit/cli/",
            "fer_audit/audit/suppression.py",
            "fer_audit/audit/hidden_tables.py",
            "fer_audit/report/files/",
            "tests/faults/",
        ),
    ),
    "browser": ("fer_audit/report/", "tests/browser/", "tests/report/"),
    "real": (
        *("fer_audit/dataset/", "fer_audit/pack/", "fer_audit/encoders/", "fer_audit/embed/"),
        *("fer_audit/cluster/", "fer_audit/classify/", "fer_audit/audit/"),
        "tests/real/",
    ),
    "bench-smoke": ("fer_audit/bench/", "benchmarks/"),
}
"""Family -> the paths whose change makes it run in full, in addition to SHARED."""


def changed_files() -> list[str] | None:
    """Return what differs from the newest commit older than a day; None = there is no earlier one to compare with."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        base = git("rev-list", "-1", "--before=1 day ago", "HEAD")
        if not base or base == git("rev-parse", "HEAD"):
            return None
        new = git("ls-files", "--others", "--exclude-standard").splitlines()
        return [*git("diff", "--name-only", base).splitlines(), *new]
    except (OSError, subprocess.CalledProcessError):
        return None


def reason_for_all(family: str, changed: Sequence[str] | None) -> str:
    """Return why a family runs in full, or "" when its core is enough."""
    if os.environ.get("ALL"):
        return "ALL is set"
    if changed is None:
        return "no earlier commit to compare with"
    paths = (*SHARED, *GUARDS[family])
    return next((f"{name} changed" for name in changed if name.startswith(paths)), "")


def make(part: str, *more: str) -> tuple[int, float]:
    """Run one of make's targets; return its exit code and the seconds it took."""
    words = ["make", "--no-print-directory", part, *more]
    began = time.monotonic()
    code = subprocess.run(words, check=False).returncode
    return code, time.monotonic() - began


def main() -> int:
    """Run every part, even after one that failed; return 1 when any did."""
    # lint, types and the network's answer about published holes at the same time
    parts: dict[str, tuple[str, tuple[str, ...]]] = {
        ".venv/dev": ("", ()),
        "check": ("", ("-j3", "--output-sync")),
        "test": ("", ()),
    }
    changed = changed_files()
    for family in GUARDS:
        why = reason_for_all(family, changed)
        parts[family] = (
            (f"in full: {why}", ()) if why else ("core: nothing it guards changed", ("CORE=1",))
        )
    lines, failed = [], False
    for part, (extent, more) in parts.items():
        print(f"== {part} {extent}", flush=True)  # noqa: T201 - CI's log
        code, seconds = make(part, *more)
        failed = failed or code != 0
        lines.append(f"{part:12} {seconds:5.0f} s  {'FAILED' if code else 'ok':6}  {extent}")
        if code and part == ".venv/dev":
            break
    print("\n".join(lines))  # noqa: T201 - likewise
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
