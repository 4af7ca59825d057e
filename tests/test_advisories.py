"""`make check` tells "no holes" from "nobody was asked", and `make ci` which heavy tests a change needs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.advisories import Verdict, read_verdict
from tests.families import GUARDS, SHARED, changed_files, reason_for_all

WHOLE = {"name": "numpy", "version": "2.4.6", "vulns": []}
UNKNOWN = {"name": "scipy", "skip_reason": "Dependency not found on PyPI"}
HOLED = {
    "name": "pillow",
    "version": "1.0",
    "vulns": [{"id": "X-1", "fix_versions": ["1.1", "2.0"]}, {"id": "X-2", "fix_versions": []}],
}


def test_packages_that_nobody_knows_are_not_checked() -> None:
    """pip-audit calls this "No known vulnerabilities found"."""
    assert read_verdict({"dependencies": [UNKNOWN]}) == Verdict(0, ("scipy",), ())


def test_a_hole_is_told_with_the_version_that_mends_it() -> None:
    verdict = read_verdict({"dependencies": [WHOLE, UNKNOWN, HOLED]})

    assert verdict.checked == 2
    assert verdict.holes == (
        "pillow 1.0: X-1, mended in 1.1, 2.0",
        "pillow 1.0: X-2, mended in no version yet",
    )


def test_our_own_package_is_no_dependency() -> None:
    ours = {"name": "fer-audit", "skip_reason": "not on PyPI"}

    assert read_verdict({"dependencies": [WHOLE, ours]}) == Verdict(1, (), ())


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
