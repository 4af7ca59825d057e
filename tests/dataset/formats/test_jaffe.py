"""JAFFE's names: every one that can be written reads back, any other says nothing."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.dataset.formats.by_name import JAFFE_EXPRESSIONS as EXPRESSIONS
from fer_audit.dataset.load import load_dataset
from tests.dataset.trees import plant, reasons, words

LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)


@given(
    st.lists(
        st.tuples(LETTERS, st.sampled_from([*EXPRESSIONS]), st.integers(1, 6)),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([".tiff", ".tif", ".jpg", ".tiff.png", ".BMP"]),
)
def test_every_name_that_we_write_reads_back(
    poses: list[tuple[str, str, int]], suffix: str
) -> None:
    said = {
        f"jaffedbase/{person}.{code}{take}.{i}{suffix}": (person, EXPRESSIONS[code])
        for i, (person, code, take) in enumerate(poses)
    }
    with TemporaryDirectory() as root:
        dataset = load_dataset(plant(Path(root), *said))

    assert dataset.format == "jaffe"
    assert words(dataset, "subject") == {name: person for name, (person, _) in said.items()}
    assert words(dataset, "expression") == {name: word for name, (_, word) in said.items()}
    assert (dataset.rejects, dataset.notes) == ((), ())


def test_na_is_a_person_and_what_is_true_of_all_is_no_attribute(tmp_path: Path) -> None:
    dataset = load_dataset(plant(tmp_path, "NA.NE1.1.tiff", "happy/ka.ha2.3.jpg"))

    assert words(dataset, "subject") == {"NA.NE1.1.tiff": "NA", "happy/ka.ha2.3.jpg": "KA"}
    assert [(a.name, a.kind) for a in dataset.attributes] == [
        ("expression", "label"),
        ("subject", "subject"),
    ]
    assert len(dataset.attribute("expression").categories) == 7
    assert [what for what, _ in dataset.facts] == ["gender", "race"]


@pytest.mark.parametrize(
    "name", ["KA.XX1.39.jpg", "KAA.AN1.39.jpg", "KA.AN.39.jpg", "KA.AN1.jpg", "KA-AN1-39.jpg"]
)
def test_any_other_name_keeps_its_row_without_labels(tmp_path: Path, name: str) -> None:
    dataset = load_dataset(plant(tmp_path, name, "KA.AN1.39.tiff"))

    assert (words(dataset, "expression")[name], words(dataset, "subject")[name]) == (None, None)
    assert reasons(dataset) == [(name, "name_not_jaffe")]
    assert name in dataset.notes[0]


def test_a_folder_with_few_such_names_is_something_else(tmp_path: Path) -> None:
    assert load_dataset(plant(tmp_path, "KA.AN1.39.jpg", "a.jpg", "b.jpg")).format == "folder"
