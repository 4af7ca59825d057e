"""fer-audit export-card, from a run directory to a file or a pipe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Call


@pytest.fixture
def finished(fer_audit: Call, faces: Path, quick: list[str], run_dir: Path) -> Path:
    """Give a finished run on the 24 drawn faces."""
    assert fer_audit("run", faces, *quick, "--quiet").code == 0
    return run_dir


def test_the_card_goes_to_stdout_or_to_a_new_file_byte_for_byte(
    fer_audit: Call, finished: Path, tmp_path: Path
) -> None:
    card = tmp_path / "card.md"

    shown, again = fer_audit("export-card", finished), fer_audit("export-card", finished)
    written = fer_audit("export-card", finished, "--out", card)

    assert (shown.code, written.code) == (0, 0)
    assert shown.out == again.out
    assert written.out == ""
    assert card.read_bytes() == shown.out.encode()
    assert "## Bias, Risks, and Limitations" in shown.out


def test_croissant_on_stdout_is_json_and_nothing_else(fer_audit: Call, finished: Path) -> None:
    done = fer_audit("export-card", finished, "--format", "croissant")

    assert done.code == 0
    assert json.loads(done.out)["conformsTo"] == "http://mlcommons.org/croissant/RAI/1.0"


def test_a_card_never_overwrites_a_file(fer_audit: Call, finished: Path, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("mine")

    done = fer_audit("export-card", finished, "--out", readme)

    assert done.code == 3
    assert "there already" in done.err
    assert readme.read_text() == "mine"


def test_an_output_that_cannot_be_written_is_3(
    fer_audit: Call, finished: Path, tmp_path: Path
) -> None:
    done = fer_audit("export-card", finished, "--out", tmp_path / "nowhere" / "card.md")

    assert done.code == 3
    assert "Cannot write" in done.err


def test_a_missing_directory_is_3_and_says_what_to_give(fer_audit: Call, tmp_path: Path) -> None:
    done = fer_audit("export-card", tmp_path / "nowhere")

    assert done.code == 3
    assert done.out == ""
    assert "no run directory" in done.err
    assert "Give the folder of a run" in done.err


def test_an_unfinished_run_has_no_card(fer_audit: Call, finished: Path) -> None:
    (finished / "DONE.json").unlink()

    done = fer_audit("export-card", finished)

    assert done.code == 3
    assert "no finished run" in done.err


def test_a_changed_result_has_no_card(fer_audit: Call, finished: Path) -> None:
    result = finished / "result.json"
    result.write_text(result.read_text().replace('"count"', '"count" '))

    done = fer_audit("export-card", finished)

    assert done.code == 3
    assert "not the file that the run wrote" in done.err


@pytest.mark.parametrize("words", [(), ("RUN", "--format", "html"), ("RUN", "--json")], ids=str)
def test_wrong_usage_is_2(fer_audit: Call, words: tuple[str, ...]) -> None:
    assert fer_audit("export-card", *words).code == 2


def test_options_of_run_in_a_file_do_not_reach_the_card(
    fer_audit: Call, finished: Path, tmp_path: Path
) -> None:
    """A set's format and a run's directory have the names of two options of the card."""
    Path("fer-audit.toml").write_text(f'format = "utkface"\nout = "{tmp_path / "elsewhere"}"\n')

    done = fer_audit("export-card", finished)

    assert done.code == 0
    assert done.out.startswith("<!-- fer-audit card: begin")
    assert not (tmp_path / "elsewhere").exists()
