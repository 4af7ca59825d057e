"""fer-audit card, from a run directory to a file or a pipe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Call


def test_the_card_goes_to_stdout_or_to_a_new_file_byte_for_byte(
    fer_audit: Call, finished: Path, tmp_path: Path
) -> None:
    card = tmp_path / "card.md"

    shown, again = fer_audit("card", finished), fer_audit("card", finished)
    written = fer_audit("card", finished, "--out", card)

    assert (shown.code, written.code) == (0, 0)
    assert shown.out == again.out
    assert written.out == ""
    assert card.read_bytes() == shown.out.encode()
    assert "## Bias, Risks, and Limitations" in shown.out


def test_croissant_on_stdout_is_json_and_nothing_else(fer_audit: Call, finished: Path) -> None:
    done = fer_audit("card", finished, "--format", "croissant")

    assert done.code == 0
    assert json.loads(done.out)["conformsTo"] == "http://mlcommons.org/croissant/RAI/1.0"


def test_a_card_never_overwrites_a_file_and_one_that_cannot_be_written_is_3(
    fer_audit: Call, finished: Path, tmp_path: Path
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("mine")

    taken = fer_audit("card", finished, "--out", readme)
    nowhere = fer_audit("card", finished, "--out", tmp_path / "nowhere" / "card.md")

    assert (taken.code, nowhere.code) == (3, 3)
    assert "there already" in taken.err
    assert readme.read_text() == "mine"
    assert "Cannot write" in nowhere.err


def test_what_is_no_finished_run_has_no_card(
    fer_audit: Call, finished: Path, tmp_path: Path
) -> None:
    result = finished / "result.json"
    result.write_text(result.read_text().replace('"count"', '"count" '))
    changed = fer_audit("card", finished)
    (finished / "DONE.json").unlink()
    unfinished = fer_audit("card", finished)
    missing = fer_audit("card", tmp_path / "nowhere")

    assert {done.code for done in (changed, unfinished, missing)} == {3}
    assert "not the file that the run wrote" in changed.err
    assert "no finished run" in unfinished.err
    assert "is no finished run" in missing.err
    assert "`fer-audit run` makes one" in missing.err
    assert missing.out == ""


@pytest.mark.parametrize("words", [(), ("RUN", "--format", "html"), ("RUN", "--json")], ids=str)
def test_wrong_usage_is_2(fer_audit: Call, words: tuple[str, ...]) -> None:
    assert fer_audit("card", *words).code == 2


def test_options_of_run_in_a_file_do_not_reach_the_card(
    fer_audit: Call, finished: Path, tmp_path: Path
) -> None:
    """A set's format and a run's directory have the names of two options of the card."""
    Path("fer-audit.toml").write_text(f'format = "utkface"\nout = "{tmp_path / "elsewhere"}"\n')

    done = fer_audit("card", finished)

    assert done.code == 0
    assert done.out.startswith("<!-- fer-audit card: begin")
    assert not (tmp_path / "elsewhere").exists()
