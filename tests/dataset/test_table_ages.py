"""The age column: years, groups, and what a spreadsheet does to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_audit.config import AuditConfig
from fer_audit.errors import ConfigError
from tests.dataset.trees import read_beside_faces, reasons, words


def test_what_a_spreadsheet_did_to_age_groups_is_undone_with_a_note(tmp_path: Path) -> None:
    dataset = read_beside_faces(tmp_path, "file,age", "a.jpg,9-Mar", "b.jpg,19-Oct", "c.jpg,3-9")

    assert words(dataset, "age_bin") == {"a.jpg": "3-9", "b.jpg": "10-19", "c.jpg": "3-9"}
    assert dataset.attribute("age_bin").categories == ("3-9", "10-19")
    assert sum("spreadsheet" in note for note in dataset.notes) == 2
    assert dataset.rejects == ()


def test_numeric_ages_become_years_and_bins(tmp_path: Path) -> None:
    dataset = read_beside_faces(
        tmp_path, "file,Age,race", "a.jpg,2,x", "b.jpg,71.5,x", "c.jpg,300,x"
    )

    assert dataset.ages is not None
    assert dataset.ages.tolist() == [2, 71, -1]
    assert words(dataset, "age_bin") == {"a.jpg": "0-2", "b.jpg": "70+", "c.jpg": None}
    assert reasons(dataset) == [("line 4", "age_out_of_range")]


def test_an_age_that_is_no_age_is_a_reject(tmp_path: Path) -> None:
    dataset = read_beside_faces(tmp_path, "file,age", "a.jpg,20", "b.jpg,21", "c.jpg,20-29")

    assert dataset.ages is not None
    assert dataset.ages.tolist() == [20, 21, -1]
    assert reasons(dataset) == [("line 4", "age_unreadable")]


def test_an_age_column_asked_for_must_hold_ages(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither ages in years nor age groups"):
        read_beside_faces(
            tmp_path, "file,born", "a.jpg,long ago", config=AuditConfig.of(age_column="born")
        )


def test_age_words_nobody_asked_for_are_an_attribute_like_any_other(tmp_path: Path) -> None:
    dataset = read_beside_faces(tmp_path, "file,age", "a.jpg,adult", "b.jpg,child")

    assert words(dataset, "age") == {"a.jpg": "adult", "b.jpg": "child"}
