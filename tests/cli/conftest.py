"""The command line, called in this process: the same `main`, without two seconds of imports."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fer_audit.cli import main
from fer_audit.config import AuditConfig, Resources
from fer_audit.encoders.types import ExportedModel
from fer_audit.pipeline import run_audit
from tests.drawings import draw_faces


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


Call = Callable[..., Outcome]


@pytest.fixture
def fer_audit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Call]:
    """Give the program: words in, Outcome out. It stands in an empty folder of its own."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in [name for name in os.environ if name.startswith("FER_AUDIT")]:
        monkeypatch.delenv(name)
    before = signal.getsignal(signal.SIGTERM)

    def call(*words: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["fer-audit", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        code = ended.value.code
        assert isinstance(code, int)
        return Outcome(code, said.out, said.err)

    yield call
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def places(tiny_model: ExportedModel, cache_dir: Path, run_dir: Path) -> list[str]:
    """Give the options that keep a run small and inside the test's own folder."""
    return [
        *("--model", str(tiny_model.path), "--cache-dir", str(cache_dir), "--out", str(run_dir))
    ]


@pytest.fixture
def quick(places: list[str]) -> list[str]:
    """Give the options of a whole run that takes half a second."""
    return [
        *places,
        *("--permutations", "50", "--bootstraps", "20", "--starts", "2", "--sweep-max", "3"),
    ]


@pytest.fixture(scope="session")
def kept_run(tmp_path_factory: pytest.TempPathFactory, tiny_model: ExportedModel) -> Path:
    """Give a finished run on 24 drawn faces, with the options of `quick`; nobody may change it."""
    place = tmp_path_factory.mktemp("kept")
    config = AuditConfig.of(
        model=str(tiny_model.path), permutations=50, bootstraps=20, starts=2, sweep_max=3
    )
    faces = draw_faces(place / "faces", 24)
    resources = Resources(cache_dir=place / "cache")
    return run_audit(faces, place / "run", config=config, resources=resources).folder


@pytest.fixture
def finished(kept_run: Path, run_dir: Path) -> Path:
    """Give a copy of a finished run."""
    return Path(shutil.copytree(kept_run, run_dir))
