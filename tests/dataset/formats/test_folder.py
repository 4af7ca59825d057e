"""Class folders, splits and what lies between."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.names import is_container, is_expression, is_split
from tests.dataset.trees import plant, reasons, words

CLASSES = ("happy/1.jpg", "Sad/1.jpg", "neutral/1.jpg", "odd/1.jpg")


@pytest.mark.parametrize(
    ("files", "attributes"),
    [
        (CLASSES, {"expression": ["happy", "neutral", "odd", "Sad"]}),
        (("10/a.jpg", "9/a.jpg", "1/a.jpg"), {"class": ["1", "9", "10"]}),
        (("0_angry/1.jpg", "1_happy/2.jpg"), {"expression": ["0_angry", "1_happy"]}),
        (("train/1/1.jpg", "train/7/2.jpg"), {"class": ["1", "7"], "split": ["train"]}),
        (
            ("train/happy/1.jpg", "test/happy/2.jpg", "test/sad/3.jpg"),
            {"expression": ["happy", "sad"], "split": ["test", "train"]},
        ),
        (
            ("happy/val_set/1.jpg", "sad/Train images/2.jpg"),
            {"expression": ["happy", "sad"], "split": ["Train images", "val_set"]},
        ),
        (
            ("S1/a/happy/1.jpg", "S2/b/sad/2.jpg"),
            {"expression": ["happy", "sad"], "folder": ["S1", "S2"]},
        ),
        (("CK+48/happy/1.jpg", "CK+48/sad/2.jpg"), {"expression": ["happy", "sad"]}),
        (("happy/images/1.jpg", "sad/Images/2.jpg"), {"expression": ["happy", "sad"]}),
        (("train/1.jpg", "val/2.jpg"), {"split": ["train", "val"]}),
        (("train/img/1.jpg", "test/img/2.jpg"), {"split": ["test", "train"]}),
        (("happy/1.jpg", "happy/2.jpg"), {}),
        (("train/happy/1.jpg", "val/happy/2.jpg"), {"split": ["train", "val"]}),
        (("basic/Image/aligned/1.jpg", "basic/Image/original/1.jpg"), {}),
        (("1.jpg", "2.jpg"), {}),
    ],
)
def test_folders_are_classes_unless_they_are_splits_containers_or_shared_by_all(
    tmp_path: Path, files: tuple[str, ...], attributes: dict[str, list[str]]
) -> None:
    kinds = {"split": "split", "folder": "batch"}

    dataset = load_dataset(plant(tmp_path, *files))

    assert {a.name: list(a.categories) for a in dataset.attributes} == attributes
    assert [a.kind for a in dataset.attributes] == [
        kinds.get(name, "label") for name in attributes
    ]
    assert all((a.counts() > 0).all() and (a.codes >= 0).all() for a in dataset.attributes)
    has_classes = attributes.keys() & {"expression", "class"}
    assert ("class folders" in dataset.label_source) == bool(has_classes)
    assert any("only clusters" in note for note in dataset.notes) == (not has_classes)
    assert (dataset.rejects, dataset.ages) == ((), None)


@given(
    st.lists(st.sampled_from(["happy", "sad", "0", "\u7b11"]), min_size=2, max_size=5),
    st.lists(st.sampled_from(["images", "Data", "CK+48", "aligned_faces"]), max_size=3),
)
def test_folders_that_all_images_share_change_nothing(
    classes: list[str], above: list[str]
) -> None:
    with TemporaryDirectory() as bare, TemporaryDirectory() as nested:
        files = [f"{name}/{i}.jpg" for i, name in enumerate(classes)]
        plain = load_dataset(plant(Path(bare), *files))
        below = load_dataset(plant(Path(nested), *("/".join([*above, file]) for file in files)))

    assert [(a.name, a.categories, a.codes.tolist()) for a in plain.attributes] == [
        (a.name, a.categories, a.codes.tolist()) for a in below.attributes
    ]
    assert bool(plain.attributes) == (len(set(classes)) > 1)


def test_an_image_outside_the_class_folders_is_not_annotated(tmp_path: Path) -> None:
    dataset = load_dataset(
        plant(tmp_path, "train/happy/1.jpg", "train/2.jpg", "3.jpg", "test/sad/4.jpg")
    )

    assert words(dataset, "expression") == {
        "train/happy/1.jpg": "happy",
        "test/sad/4.jpg": "sad",
        "train/2.jpg": None,
        "3.jpg": None,
    }
    assert words(dataset, "split")["train/2.jpg"] == "train"
    assert words(dataset, "split")["3.jpg"] is None
    assert reasons(dataset) == [("3.jpg", "no_class_folder"), ("train/2.jpg", "no_class_folder")]


@pytest.mark.parametrize("word", ["Anger", "0_angry", "1-happy", "surprise", "SAD", "fear2"])
def test_numbering_and_case_do_not_hide_an_expression(word: str) -> None:
    assert is_expression(word)


@pytest.mark.parametrize(
    "word", ["train", "Training", "val", "PublicTest", "train_set", "Test images"]
)
def test_splits_are_known_by_name(word: str) -> None:
    assert is_split(word)
    assert not is_expression(word)


@pytest.mark.parametrize(
    "word", ["happy", "1", "trained", "test_subject", "img\u00fc", "faceless"]
)
def test_other_words_are_classes(word: str) -> None:
    assert not is_container(word)
