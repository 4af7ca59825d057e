"""What is mistyped is told with the nearest thing that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_audit import __version__
from tests.cli.conftest import Call


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("reprot",), "'report'"),
        (("cart", "x"), "Did you mean 'card'?"),
        (("run", "--permutation", "9"), "'--permutations'"),
        (("report", "x", "--min-cel", "5"), "Did you mean '--min-cell'?"),
    ],
)
def test_a_verb_or_option_is_told_with_the_nearest(
    fer_audit: Call, words: tuple[str, ...], near: str
) -> None:
    done = fer_audit(*words)

    assert done.code == 2
    assert near in done.err


def test_what_is_near_nothing_is_told_alone(fer_audit: Call) -> None:
    assert fer_audit("zzzz").err.endswith("Error: No such command 'zzzz'.\n")
    assert fer_audit("--zzzz").err.endswith("No such option '--zzzz'.\n")


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("batchsize", "Did you mean batch-size?"),
        ("permutation", "Did you mean permutations?"),
        ("zzzz", "`fer-audit run --help-all` shows every option."),
        ("help_all", "`fer-audit run --help-all` shows every option."),
    ],
)
def test_a_key_of_the_file_is_told_with_the_nearest_one(
    fer_audit: Call, key: str, hint: str
) -> None:
    Path("fer-audit.toml").write_text(f"{key} = 3\n")

    done = fer_audit("datasets")

    assert done.code == 2
    assert done.err == (f"fer-audit: fer-audit.toml: there is no option '{key}'\n  {hint}\n")


def test_a_variable_that_sets_nothing_is_told_and_one_that_does_is_not(
    fer_audit: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RUN_SEED", "EMBED_BATCH_SIZE", "CARD_MIN_CELL", "RUN_SED", "QQQQQQQQQQQQ"):
        monkeypatch.setenv(f"FER_AUDIT_{name}", "3")

    done = fer_audit("datasets")

    assert done.code == 0
    assert done.err.splitlines() == [
        "fer-audit: FER_AUDIT_QQQQQQQQQQQQ sets no option of any verb and is ignored.",
        "fer-audit: FER_AUDIT_RUN_SED sets no option of any verb and is ignored. Did you mean FER_AUDIT_RUN_SEED?",
    ]


def test_the_old_name_of_a_verb_is_taken_and_not_shown(fer_audit: Call, finished: Path) -> None:
    assert fer_audit("export-card", finished) == fer_audit("card", finished)
    assert "export-card" not in fer_audit("--help").out


def test_the_short_flag_of_the_version(fer_audit: Call) -> None:
    assert fer_audit("-V").out == f"fer-audit, version {__version__}\n"


@pytest.mark.parametrize("verb", ["report", "card", "compare"])
def test_a_path_that_is_no_run_is_3_and_names_finished_ones_nearby(
    fer_audit: Call, finished: Path, tmp_path: Path, verb: str
) -> None:
    Path("runs").mkdir()
    (Path("runs") / "faces-k4").symlink_to(finished)
    other = ["runs/faces-k4"] if verb == "compare" else []

    for wrong, named in (
        ("runs", "runs/faces-k4"),
        ("runs/faces-k", "runs/faces-k4"),
        (finished.with_name("rum"), str(finished)),
    ):
        done = fer_audit(verb, wrong, *other)

        assert (done.code, done.out) == (3, "")
        first, hint = done.err.splitlines()
        assert first == f"fer-audit: {wrong} is no finished run"
        assert hint.startswith("  Finished runs near it: ")
        assert named in hint


def test_a_run_that_was_started_is_told_how_it_is_finished(
    fer_audit: Call, finished: Path
) -> None:
    (finished / "DONE.json").unlink()

    assert "The same fer-audit run command finishes it." in fer_audit("report", finished).err
    (finished / "STARTED.json").unlink()
    assert fer_audit("report", finished).err.endswith("\n  `fer-audit run` makes one.\n")
