"""The README as the tests read it: its blocks of code, and its commands in a folder where they are quick."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from fer_audit.encoders.types import ExportedModel

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

KEPT_RUNS = ("runs/utkface", "runs/gated")
"""Run directories that several commands of the tour work on."""


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Return every command of the tour, in order."""
    return [line for block in blocks("bash") for line in block.splitlines() if line]


def needs_a_kept_run(line: str) -> bool:
    """Tell a command that makes or reads one of `KEPT_RUNS` from one that stands alone."""
    return any(run in line for run in KEPT_RUNS)


def stand_in(folder: Path, faces: Path, model: ExportedModel) -> None:
    """Put a few faces where the README has UTKFace, and settings that make its commands small."""
    (folder / "path" / "to").mkdir(parents=True)
    (folder / "path" / "to" / "UTKFace").symlink_to(faces)
    (folder / "fer-audit.toml").write_text(
        f'model = "{model.path}"\ncache-dir = "{folder / "cache"}"\n'
        "permutations = 50\nbootstraps = 20\nstarts = 2\nsweep-max = 3\nreplay = 5\n"
        "repeats = 1\n"
    )


def refuse_failure(line: str, folder: Path) -> None:
    """Type a command in `folder`; AssertionError unless it ends with 0 and says something."""
    program, *words = shlex.split(line.split(" > ")[0])
    assert program == "fer-audit", line
    done = subprocess.run(
        [sys.executable, "-m", "fer_audit.cli", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert done.stdout, line
