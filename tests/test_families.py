"""A heavy family rests only while nothing that it guards changes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.families import GUARDS, SHARED, changed_files, reason_for_all

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("family", GUARDS)
def test_a_family_runs_in_full_when_what_it_guards_changed_and_when_nobody_knows(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALL", raising=False)

    for path in (*SHARED, *GUARDS[family]):
        assert (ROOT / path).exists(), "a room that has moved would be guarded no longer"
        assert reason_for_all(family, ["README.md", f"{path}x.py"])
    assert reason_for_all(family, None)
    assert reason_for_all(family, ["README.md", "docs/trust.md"]) == ""
    monkeypatch.setenv("ALL", "1")
    assert reason_for_all(family, [])


def test_every_room_that_works_on_data_is_guarded() -> None:
    guarded = {path for paths in GUARDS.values() for path in (*paths, *SHARED)}
    rooms = {
        f"fer_audit/{path.parent.name}/" for path in (ROOT / "fer_audit").glob("*/__init__.py")
    }

    assert rooms - guarded == {"fer_audit/synth/"}


def test_without_an_earlier_commit_there_is_nothing_to_compare_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert changed_files() is None

    subprocess.run(["git", "init", "-q"], check=True)
    assert changed_files() is None
