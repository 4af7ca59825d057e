"""Several commands in one process: what each writes and how it ends, without a second of imports for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.conftest import clean_environment

_PROGRAM = """
import json, os, sys
from fer_audit.cli import main

listed, notes = sys.argv[1:]
for number, words in enumerate(json.load(open(listed, encoding="ascii"))):
    sys.argv = ["fer-audit", *words]
    for end in (1, 2):
        file = os.open(f"{notes}/{number}.{end}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, end)
        os.close(file)
    try:
        main()
    except SystemExit as exc:
        with open(f"{notes}/{number}.code", "w") as file:
            file.write(str(exc.code or 0))
    sys.stdout.flush()
    sys.stderr.flush()
"""


@dataclass(frozen=True)
class Said:
    """What one command wrote."""

    words: tuple[str, ...]
    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """Its stderr and stdout, what is no UTF-8 as surrogates."""
        return (self.err + self.out).decode("utf-8", "surrogateescape")


def call_all(
    here: Path, calls: Sequence[tuple[str | Path, ...]], env: Mapping[str, str] | None = None
) -> list[Said]:
    """Run the commands one after another in the folder `here`; none may end with a traceback."""
    notes = here.with_name(f"{here.name}-said")
    notes.mkdir()
    listed = notes / "calls.json"
    words = [[os.fspath(word) for word in call] for call in calls]
    listed.write_text(json.dumps(words), encoding="ascii")
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, listed, notes],
        cwd=here,
        env=clean_environment(**(env or {})),
        capture_output=True,
        timeout=400,
        check=False,
    )
    last = notes / f"{len(calls) - 1}.code"
    assert last.exists(), [done.stderr, *(p.read_text() for p in sorted(notes.glob("*.2"))[-1:])]
    said = [
        Said(
            tuple(each),
            int((notes / f"{number}.code").read_text(encoding="ascii")),
            *((notes / f"{number}.{end}").read_bytes() for end in (1, 2)),
        )
        for number, each in enumerate(words)
    ]
    assert [each.words for each in said if b"Traceback" in each.err] == []
    return said
