"""dataset.json: what the owner of a set says of its labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_audit.dataset.load import load_dataset
from fer_audit.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("happy/1.jpg", "sad/2.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_the_card_says_who_made_the_labels(folder: Path) -> None:
    (folder / "dataset.json").write_text(
        '{"label_source": "Two students, 2024.", "notes": ["Half of it is blurred."]}'
    )

    dataset = load_dataset(folder)

    assert dataset.label_source == "Two students, 2024."
    assert dataset.notes[0] == "Half of it is blurred."
    assert not any("ignored" in note for note in dataset.notes)


def test_without_a_card_the_reader_says_what_it_knows(folder: Path) -> None:
    assert load_dataset(folder).label_source


@pytest.mark.parametrize("text", ["[]", "{", '{"label_source": 3}', '{"notes": "one"}'])
def test_a_card_that_is_something_else_is_an_error(folder: Path, text: str) -> None:
    (folder / "dataset.json").write_text(text)

    with pytest.raises(ConfigError, match=r"dataset\.json"):
        load_dataset(folder)
