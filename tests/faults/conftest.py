"""What every family of faults shares: the program as a process of its own, and a set that it audits in seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fer_audit.encoders.types import ExportedModel

HERE = Path(__file__).parent

QUICK = (
    *("--permutations", "50", "--bootstraps", "20", "--starts", "2", "--sweep-max", "3"),
    *("--replay", "0", "--k", "3"),
)
"""Options of a whole run that takes seconds; the faults do not care for the width of an interval."""

Finished = subprocess.CompletedProcess[str]
Program = Callable[..., Finished]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder: `make test` leaves it out, `make faults` runs it."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.faults)


def command(*words: str | Path) -> list[str]:
    """Return the command line of the program under test."""
    return [sys.executable, "-m", "fer_audit.cli", *map(str, words)]


def clean_environment(**more: str) -> dict[str, str]:
    """Return this environment without what would steer the program, and with what a test adds."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FER_AUDIT")}
    return {**kept, **more}


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Give the program as a process: words in, a finished process out. It stands in an empty folder."""
    here = tmp_path / "here"
    here.mkdir()

    def call(
        *words: str | Path,
        env: Mapping[str, str] | None = None,
        before: tuple[str, ...] = (),
        timeout: float = 120,
    ) -> Finished:
        """Run it; `before` are words in front, e.g. ("strace", "-f", ...)."""
        done = subprocess.run(
            [*before, *command(*words)],
            cwd=here,
            env=clean_environment(**(env or {})),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    return call


@pytest.fixture
def quick(tiny_model: ExportedModel, cache_dir: Path, run_dir: Path) -> tuple[str, ...]:
    """Give the options of a quick run inside the test's own folder."""
    places = ("--model", tiny_model.path, "--cache-dir", cache_dir, "--out", run_dir)
    return (*map(str, places), *QUICK)
