"""What the faults share: the program as a process of its own, a set that it audits in seconds, and a finished audit of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fer_audit.encoders.types import ExportedModel
from tests.drawings import draw_faces

if TYPE_CHECKING:
    from tests.faults.crowd import Crowd, Ended

HERE = Path(__file__).parent

QUICK = (
    *("--permutations", "50", "--bootstraps", "20", "--starts", "2", "--sweep-max", "3"),
    *("--replay", "0", "--k", "3"),
)
"""Options of a whole run that takes seconds; the faults do not care for the width of an interval."""

SLOW = pytest.mark.slow
"""What more of the same costs more than it shows: ALL=1 runs it."""

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


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """Give runs that need no imports, on a machine whose locks work; their shards are small."""
    from tests.faults.crowd import Crowd

    with Crowd(tmp_path_factory.mktemp("crowd")) as runs:
        yield runs


@dataclass(frozen=True)
class Kept:
    """A set of three small shards, its finished audit that nobody disturbed, and the cache of it."""

    crowd: Crowd
    faces: Path
    model: Path
    folder: Path
    cache: Path

    def words(self, out: Path, cache: Path, *more: str) -> list[str | Path]:
        """Return the words that audit the set."""
        places = ("--model", self.model, "--out", out, "--cache-dir", cache)
        return ["audit", self.faces, *places, *QUICK, *more]

    def run(self, out: Path, cache: Path, *more: str) -> Ended:
        """Audit the set; whatever the cache was, the artefacts are right."""
        ended = self.crowd.run(*self.words(out, cache, *more))
        assert ended.code == 0, ended.err
        assert self.wrong(out) == []
        return ended

    def wrong(self, out: Path) -> list[str]:
        """Return the artefacts of a run directory that are not those of the undisturbed run."""
        return [
            name
            for name in ("embeddings.npy", "result.json", "rows.parquet")
            if (out / name).read_bytes() != (self.folder / name).read_bytes()
        ]


@pytest.fixture(scope="session")
def kept(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: ExportedModel, crowd: Crowd
) -> Kept:
    place = tmp_path_factory.mktemp("kept")
    faces = draw_faces(place / "faces", 40, side=40)
    found = Kept(crowd, faces, tiny_model.path, place / "run", place / "cache")
    found.run(found.folder, found.cache)
    return found
