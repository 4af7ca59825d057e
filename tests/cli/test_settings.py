"""Defaults < file < environment < flags, and no misspelt option is ever ignored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Call, Outcome


def config_of(done: Outcome) -> dict[str, Any]:
    """Return the settings that an audit used, by flat names."""
    assert done.code == 0, done.err
    rooms: dict[str, Any] = json.loads(result_of(done))["config"]
    parts = [room if isinstance(room, dict) else {name: room} for name, room in rooms.items()]
    return {name: value for part in parts for name, value in part.items()}


def result_of(done: Outcome) -> str:
    """Return the result.json whose path `fer-audit audit` prints."""
    return Path(done.out.strip()).read_text(encoding="utf-8")


def test_flags_win_over_the_environment_and_that_over_the_file(
    fer_audit: Call, faces: Path, quick: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def k() -> object:
        return config_of(fer_audit("audit", faces, *quick))["k"]

    assert k() == 4

    Path("fer-audit.toml").write_text("k = 2\n")
    assert k() == 2

    monkeypatch.setenv("FER_AUDIT_AUDIT_K", "3")
    assert k() == 3

    quick += ["--k", "5"]
    assert k() == 5


def test_the_projects_own_file_is_read_where_there_is_no_other(
    fer_audit: Call, faces: Path, quick: list[str]
) -> None:
    Path("pyproject.toml").write_text("[tool.fer-audit]\nk = 2\nseed = 9\n")
    from_project = config_of(fer_audit("audit", faces, *quick))

    Path("fer-audit.toml").write_text("k = 3\n")
    from_own = config_of(fer_audit("audit", faces, *quick))

    assert (from_project["k"], from_project["seed"]) == (2, 9)
    assert (from_own["k"], from_own["seed"]) == (3, 0)


def test_a_pyproject_of_another_project_is_no_concern_of_ours(
    fer_audit: Call, faces: Path, quick: list[str]
) -> None:
    Path("pyproject.toml").write_text("[project]\nname = 'x'\n[tool.ruff]\nk = 7\n")

    assert config_of(fer_audit("audit", faces, *quick))["k"] == 4


def test_keys_have_dashes_or_underscores_and_lists_are_lists(
    fer_audit: Call, faces: Path, quick: list[str]
) -> None:
    Path("fer-audit.toml").write_text("batch-size = 5\nage_bins = [0, 18, 65]\n")

    config = config_of(fer_audit("audit", faces, *quick))

    assert config["batch_size"] == 5
    assert config["age_bins"] == [0, 18, 65]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        *(("kk = 3\n", "'kk'"), ("dataset = 'x'\n", "'dataset'")),
        *(("k = \n", "Cannot read fer-audit.toml"), ("k = 'four'\n", "four")),
        *(("k = 0\n", "at least 1"), ("device = 'tpu'\n", "tpu"), ("[run]\nk = 3\n", "'run'")),
    ],
)
def test_a_file_that_makes_no_sense_is_2_and_says_where(
    fer_audit: Call, faces: Path, quick: list[str], text: str, word: str
) -> None:
    Path("fer-audit.toml").write_text(text)

    done = fer_audit("audit", faces, *quick)

    assert done.code == 2
    assert word in done.err


@pytest.mark.parametrize("text", ["tool = 3\n", "[tool]\nfer-audit = 3\n", "[[tool]]\nx = 1\n"])
def test_a_pyproject_of_another_shape_is_2_or_no_concern(
    fer_audit: Call, faces: Path, quick: list[str], text: str
) -> None:
    Path("pyproject.toml").write_text(text)

    assert fer_audit("audit", faces, *quick).code in {0, 2}


def test_a_file_that_is_not_utf_8_or_a_folder_is_2(
    fer_audit: Call, faces: Path, quick: list[str]
) -> None:
    Path("fer-audit.toml").write_bytes(b"k = 3 # \xff\n")
    assert fer_audit("audit", faces, *quick).code == 2

    Path("fer-audit.toml").unlink()
    Path("fer-audit.toml").mkdir()
    assert fer_audit("audit", faces, *quick).code == 2


def test_a_wrong_number_in_the_environment_is_2(
    fer_audit: Call, faces: Path, quick: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_AUDIT_AUDIT_K", "many")

    done = fer_audit("audit", faces, *quick)

    assert done.code == 2
    assert "many" in done.err


@pytest.fixture
def table(faces: Path) -> Path:
    """Give a table beside its images, in a folder of their own."""
    rows = [f"{path.name},{'ab'[i % 2]}\n" for i, path in enumerate(sorted(faces.iterdir()))]
    path = faces / "faces.csv"
    path.write_text("file,ethnicity\n" + "".join(rows))
    return path


def test_a_table_is_described_by_the_file_as_by_flags(
    fer_audit: Call, table: Path, quick: list[str]
) -> None:
    named = ("--path-column", "file", "--group", "race=ethnicity")
    by_flags = result_of(fer_audit("audit", table, *named, *quick))

    Path("fer-audit.toml").write_text('path-column = "file"\ngroup = ["race=ethnicity"]\n')
    by_file = result_of(fer_audit("audit", table, *quick))

    assert by_file == by_flags


def test_a_table_of_the_working_folder_runs_as_the_readme_shows_it(
    fer_audit: Call, table: Path, quick: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`fer-audit run faces.csv`: the default run directory runs/ lies beside the table, and holds no image."""
    monkeypatch.chdir(table.parent)
    before = {path.name: path.stat().st_mtime_ns for path in table.parent.iterdir()}
    without_out = [*quick[:4], *quick[6:]]

    done = fer_audit("run", "faces.csv", "--group", "race=ethnicity", *without_out)

    assert done.code == 0, done.err
    assert (
        before.items()
        <= {path.name: path.stat().st_mtime_ns for path in table.parent.iterdir()}.items()
    )


def test_the_out_and_places_are_no_part_of_the_result(
    fer_audit: Call, faces: Path, quick: list[str], tmp_path: Path
) -> None:
    """result.json is the same wherever it was made: no path of this machine is in it."""
    one = fer_audit("audit", faces, *quick, "--out", tmp_path / "one")
    two = fer_audit("audit", faces, *quick, "--out", tmp_path / "two", "--workers", "1")

    assert result_of(one) == result_of(two)
    assert str(tmp_path / "one") not in result_of(one)


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "1e10"])
def test_a_time_limit_that_is_none_is_2(fer_audit: Call, faces: Path, seconds: str) -> None:
    done = fer_audit("run", faces, "--file-seconds", seconds)

    assert done.code == 2
    assert "file_seconds" in done.err
